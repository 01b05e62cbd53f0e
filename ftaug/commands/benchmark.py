"""`ftaug benchmark`: profile a training step and suggest what to change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from ftaug.commands.options import AsJson, Config, Device, OnDevice, Overrides

if TYPE_CHECKING:
    from ftaug.engine.training.benchmark import BenchmarkResult
    from ftaug.engine.training.state import TrainingState


def benchmark(
    config: Config,
    overrides: Overrides = None,
    steps: Annotated[int, typer.Option(help="Steps to measure, after three to warm up.", min=1)] = 20,
    device: OnDevice = Device.auto,
    as_json: AsJson = False,
) -> None:
    """Profile a training step, and suggest what to change."""
    from ftaug.engine.loading.split import load_splits
    from ftaug.engine.training.auto_unfreeze import resolve_auto_unfreeze
    from ftaug.engine.training.benchmark import advice, measure
    from ftaug.experiment_file import load
    from ftaug.runs.assemble import assemble
    from ftaug.runs.bad_samples import readable
    from ftaug.runs.report import console

    experiment = load(config, overrides or ())
    data = readable(experiment, load_splits(experiment.data, experiment.seed))
    experiment, _ = resolve_auto_unfreeze(experiment, device.value, data)
    with assemble(experiment, device.value, data, pretrained=False) as (state, _):
        result = measure(state, steps)
    suggestions = advice(state, result)
    if as_json:
        print(console.to_json({**asdict(result), "share_of_bound": result.share, "advice": suggestions}))
        return
    _print(state, result, suggestions)


def _print(state: TrainingState, result: BenchmarkResult, suggestions: Sequence[str]) -> None:
    from ftaug.engine.system.device import describe
    from ftaug.runs.report import console

    share = f"{result.share:.0%} of the {result.bound:.1f} that the network"
    speed = f"{result.samples_per_second:.1f} samples a second, {share}"
    console.show(f"{state.experiment.name} on {describe(state.device)}, {state.device.precision}: {speed} can take")
    parts = {**result.phases, "the rest": max(0.0, result.step - sum(result.phases.values()))}
    rows = [(name, f"{1000 * seconds:.1f}", f"{seconds / result.step:.0%}") for name, seconds in parts.items()]
    console.show(console.table(("of a step", "ms", "share"), [*rows, ("in all", f"{1000 * result.step:.1f}", "100%")]))
    sample = f"read {1000 * result.reading:.2f} ms, decode and augment {1000 * result.preparing:.2f} ms"
    console.show(f"a sample in one process: {sample}; {result.workers} worker{'s' * (result.workers != 1)}")
    console.show(f"peak memory {result.peak_memory / 2**20:,.0f} MiB")
    for sentence in suggestions:
        console.show(f"try {sentence}")
