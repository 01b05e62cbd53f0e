"""`ftaug benchmark`: where the time of a training step goes, and what to change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ftaug.engine.loading.split import portions
from ftaug.engine.system.device import describe
from ftaug.engine.training.auto_unfreeze import resolve_auto_unfreeze
from ftaug.engine.training.benchmark import Found, advice, measure
from ftaug.engine.training.state import TrainingState
from ftaug.load import load
from ftaug.runs.assemble import assemble
from ftaug.runs.bad_samples import readable
from ftaug.runs.report import console


def run(config: Path, overrides: Sequence[str], steps: int, device: str, as_json: bool) -> None:
    """Train for some steps without leaving anything behind, and print what they cost."""
    experiment = load(config, overrides)
    data = readable(experiment, portions(experiment.data, experiment.seed))
    experiment, _ = resolve_auto_unfreeze(experiment, device, data)
    with assemble(experiment, device, data, pretrained=False) as (setup, _):
        found = measure(setup, steps)
    said = advice(setup, found)
    if as_json:
        print(console.to_json({**asdict(found), "share_of_bound": found.share, "advice": said}))
        return
    _print(setup, found, said)


def _print(setup: TrainingState, found: Found, said: Sequence[str]) -> None:
    speed = (
        f"{found.samples_per_second:.1f} samples a second, {found.share:.0%} of the {found.bound:.1f} that the network"
    )
    console.show(f"{setup.experiment.name} on {describe(setup.device)}, {setup.device.precision}: {speed} can take")
    parts = {**found.phases, "the rest": max(0.0, found.step - sum(found.phases.values()))}
    rows = [(name, f"{1000 * seconds:.1f}", f"{seconds / found.step:.0%}") for name, seconds in parts.items()]
    console.show(console.table(("of a step", "ms", "share"), [*rows, ("in all", f"{1000 * found.step:.1f}", "100%")]))
    one = f"read {1000 * found.reading:.2f} ms, decode and augment {1000 * found.preparing:.2f} ms"
    console.show(f"a sample in one process: {one}; {found.workers} worker{'s' * (found.workers != 1)}")
    console.show(f"peak memory {found.peak_memory / 2**20:,.0f} MiB")
    for sentence in said:
        console.show(f"try {sentence}")
