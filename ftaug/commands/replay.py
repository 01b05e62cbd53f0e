"""`ftaug replay`: repeat a training step whose loss or gradient was not finite, and show its samples."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ftaug.commands.options import AsJson, Device, OnDevice, TrustPlugins
from ftaug.errors import NotReached

if TYPE_CHECKING:
    from ftaug.runs.replay import Replay

SHOWN = 10
"""Number of samples in the table."""

Step = Annotated[
    Path,
    typer.Argument(help="A run folder, for its latest such step, or a file in nonfinite/.", metavar="RUN|FILE"),
]


def replay(
    run: Step,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The contact sheet, a PNG; default beside the file.", metavar="FILE"),
    ] = None,
    as_json: AsJson = False,
    device: OnDevice = Device.auto,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Repeat a step whose loss was not finite, and show its samples."""
    from ftaug.engine.system.storage import replace, storage_errors
    from ftaug.runs import replay_file
    from ftaug.runs.replay import replay as replay_step
    from ftaug.runs.report import console

    file = replay_file.newest(run) if run.is_dir() else run
    record = replay_file.read(file)
    result, sheet = replay_step(file.parent.parent, record, device.value, trust_plugins=trust_plugins)
    path = output or file.with_suffix(".png")
    if sheet is not None:
        with storage_errors(f"cannot write {path}"):
            replace(path, sheet)
    if as_json:
        facts = asdict(result) | {"same": result.is_same, "verdict": result.verdict}
        facts["record"].pop("micro_batches")
        print(console.to_json(facts | {"sheet": None if sheet is None else str(path)}))
    else:
        _show(result)
        if sheet is not None:
            print(f"samples: {path}")
    if not result.is_same:
        recorded = f"loss {record.loss}, gradient norm {record.gradient_norm}"
        raise NotReached(f"step {record.step} is not repeated bit for bit: {recorded} in training")


def _show(result: Replay) -> None:
    """Print the figures of the step, the gradient norms of the stages and the samples."""
    from ftaug.runs.report import console

    norm = "" if result.gradient_norm is None else f", gradient norm {result.gradient_norm:.6g}"
    repeated = f" and {result.repeated} step{'s' * (result.repeated > 1)}" if result.repeated else ""
    console.show(
        f"step {result.record.step} (epoch {result.record.epoch}), from the {result.origin}{repeated}: "
        f"loss {result.loss:.6g}{norm}, {'the same bits' if result.is_same else 'other figures'} as in training"
    )
    if "not bit for bit" in result.note:
        console.show(result.note)
    norms = [(stage, f"{value:.4g}") for stage, value in result.stage_norms.items()]
    console.show(console.table(("stage", "gradient norm"), norms), result.verdict)
    rows = [(s.name, s.label, "" if s.loss is None else f"{s.loss:.4g}") for s in result.samples[:SHOWN]]
    console.show(console.table(("sample", "label", "loss"), rows))
    if len(result.samples) > SHOWN:
        console.show(f"and {len(result.samples) - SHOWN} more samples")
