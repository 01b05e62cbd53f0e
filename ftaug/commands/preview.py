"""`ftaug preview`: show augmented training samples, and the effect of each augmentation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from ftaug.commands.options import AsJson, Config, Overrides
from ftaug.errors import ExperimentError

if TYPE_CHECKING:
    from rich.table import Table

    from ftaug.config.experiment import Experiment
    from ftaug.interfaces.preview import Effect


def preview(
    config: Config,
    overrides: Overrides = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="The file to write: an image, default sheet.png; for texts an .html page instead of the terminal.",
            metavar="FILE",
        ),
    ] = None,
    op: Annotated[str | None, typer.Option(help="Apply one augmentation alone.", metavar="NAME")] = None,
    class_: Annotated[str | None, typer.Option("--class", help="Show samples of one class.", metavar="NAME")] = None,
    count: Annotated[int, typer.Option("-n", help="How many samples.", min=1, max=64)] = 5,
    severity_grid: Annotated[
        bool, typer.Option("--severity-grid", help="Show each augmentation from severity 0 to 1.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show augmented samples, and say what each augmentation does."""
    from ftaug.config.severity import governed
    from ftaug.engine.loading.prepare import modality_of
    from ftaug.experiment_file import load
    from ftaug.runs.preview_request import preview_request
    from ftaug.runs.report import console

    experiment = load(config, overrides or ())
    if op is not None:
        experiment = _of_one_op(experiment, op, config, overrides or ())
    if severity_grid and not any(governed(component.entry) for component in experiment.augment):
        raise ExperimentError("--severity-grid: none of the augmentations has a severity")
    verbs = modality_of(experiment)
    output = output or verbs.preview.default_output
    if output is not None:
        verbs.preview.check_output(output)
    request = preview_request(experiment, class_, count)
    look = (
        verbs.preview.severities if severity_grid else verbs.preview.overview if op is None else verbs.preview.repeated
    )
    sheet = look(request)
    if output is not None:
        _write(sheet.file(output.suffix), output)
    elif not as_json:
        console.show(sheet.screen)
    for caution in request.cautions:
        console.say(f"caution: {caution}")
    if as_json:
        effects = {"effects": [asdict(cast(Any, effect)) for effect in request.effects], "cautions": request.cautions}
        print(console.to_json({"sheet": None if output is None else str(output), **sheet.facts, **effects}))
        return
    if request.effects:
        console.say(_table(request.effects, len(request.rows), verbs.preview.noun))
    if output is not None:
        print(output)


def _of_one_op(experiment: Experiment, name: str, config: Path, overrides: Sequence[str]) -> Experiment:
    """Return the experiment with a single op: as configured in the file, else with its defaults."""
    from ftaug.config.other_names import spelled
    from ftaug.config.registry import nested
    from ftaug.experiment_file import load

    registered = spelled("augmentation", name)
    ops = (op for _, op in nested(experiment.augment) if op.name == registered and op.kind == "augmentation")
    configured = next(ops, None)
    if configured is None:
        return replace(load(config, [*overrides, f"augment=[{name}]"]), mix=None)
    return replace(experiment, augment=(configured,), mix=None)


def _table(effects: Sequence[Effect], samples: int, noun: str) -> Table:
    """Build the table of how often each op was applied, and its effect."""
    from ftaug.runs.report import console

    heading = f"alone, {effects[0].tries // samples} times on {samples} {noun}{'s' * (samples != 1)}"
    rows = [(effect.op, *effect.describe().values()) for effect in effects]
    return console.table((heading, *effects[0].describe()), rows)


def _write(content: bytes, output: Path) -> None:
    from ftaug.engine.system import storage

    with storage.storage_errors(f"{output}: cannot be written"):
        output.parent.mkdir(parents=True, exist_ok=True)
        storage.replace(output, content)
