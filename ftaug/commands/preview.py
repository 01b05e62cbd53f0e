"""`ftaug preview`: show augmented training samples, and the effect of each augmentation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from rich import box
from rich.table import Table

from ftaug.config.experiment import Experiment
from ftaug.config.other_names import spelled
from ftaug.config.registry import nested
from ftaug.config.severity import governed
from ftaug.engine.loading import seeds
from ftaug.engine.loading.prepare import modality_of
from ftaug.engine.loading.split import DataSplit, portions
from ftaug.engine.system import storage
from ftaug.errors import ExperimentError, did_you_mean
from ftaug.interfaces.preview import Effect, PreviewRequest, Row
from ftaug.load import load
from ftaug.runs.report import console, training_summary


def run(
    *,
    config: Path,
    overrides: Sequence[str],
    output: Path | None,
    op: str | None,
    class_name: str | None,
    count: int,
    severity_grid: bool,
    as_json: bool,
) -> None:
    """Show training samples unchanged, after each augmentation and after all of them; print the file's name, if any.

    Without a file the samples are printed to the terminal.
    """
    experiment = load(config, overrides)
    if op is not None:
        experiment = _of_one_op(experiment, op, config, overrides)
    if severity_grid and not any(governed(component.entry) for component in experiment.augment):
        raise ExperimentError("--severity-grid: none of the augmentations has a severity")
    verbs = modality_of(experiment)
    output = output or verbs.preview.default_output
    if output is not None:
        verbs.preview.check_output(output)
    showing = _showing(experiment, class_name, count)
    look = (
        verbs.preview.severities if severity_grid else verbs.preview.overview if op is None else verbs.preview.repeated
    )
    sheet = look(showing)
    if output is not None:
        _write(sheet.file(output.suffix), output)
    elif not as_json:
        console.show(sheet.screen)
    for caution in showing.cautions:
        console.say(f"caution: {caution}")
    if as_json:
        effects = {"effects": [asdict(cast(Any, effect)) for effect in showing.effects], "cautions": showing.cautions}
        print(console.to_json({"sheet": None if output is None else str(output), **sheet.facts, **effects}))
        return
    if showing.effects:
        training_summary.console().print(_table(showing.effects, len(showing.rows), verbs.preview.noun))
    if output is not None:
        print(output)


def _of_one_op(experiment: Experiment, name: str, config: Path, overrides: Sequence[str]) -> Experiment:
    """Return the experiment with a single op: as configured in the file, else with its defaults."""
    registered = spelled("augmentation", name)
    ops = (op for _, op in nested(experiment.augment) if op.name == registered and op.kind == "augmentation")
    configured = next(ops, None)
    if configured is None:
        return replace(load(config, [*overrides, f"augment=[{name}]"]), mix=None)
    return replace(experiment, augment=(configured,), mix=None)


def _of_class(portion: DataSplit, name: str, count: int) -> list[int]:
    """Return the positions of the first samples of a class; raises ExperimentError."""
    if portion.task.regression:
        raise ExperimentError(f"--class {name}: data.train has numbers, and no classes; leave it out")
    classes = portion.task.classes
    if name not in classes:
        raise ExperimentError(f"--class {name}: data.train has no class '{name}'{did_you_mean(name, classes)}")
    code = classes.index(name)
    shows = portion.targets[:, code] > 0 if portion.task.multi_label else portion.targets == code
    return [int(place) for place in np.flatnonzero(shows)[:count]]


def _of_many_classes(portion: DataSplit, count: int) -> list[int]:
    """Return positions of samples spread evenly over all classes."""
    if portion.task.kind != "single_label":
        return [
            int(place) for place in np.unique(np.linspace(0, len(portion) - 1, min(count, len(portion))).astype(int))
        ]
    by_class = [np.flatnonzero(portion.targets == code) for code in np.unique(portion.targets)]
    if count < len(by_class):
        by_class = [by_class[i] for i in np.linspace(0, len(by_class) - 1, count).astype(int)]
    each, rest = divmod(count, len(by_class))
    return [int(place) for i, places in enumerate(by_class) for place in places[: each + (i < rest)]]


def _showing(experiment: Experiment, class_name: str | None, count: int) -> PreviewRequest:
    """Build the preview request: samples of one class or of many, effects of augmentations and cautions."""
    train = portions(experiment.data, experiment.seed)["train"]
    chosen = _of_class(train, class_name, count) if class_name is not None else _of_many_classes(train, count)
    verbs = modality_of(experiment)
    showing = PreviewRequest(
        title=experiment.name,
        samples=len(train),
        rows=[_row(experiment, train, place) for place in chosen],
        augment=experiment.augment,
        preprocessing=experiment.backbone(train.task.classes, experiment.input).preprocessing,
        mix=experiment.mix,
        rng=seeds.generator(experiment.seed, "preview"),
    )
    effects = verbs.preview.effects(showing)
    hazards = verbs.hazards(experiment.augment, train.task)
    return replace(showing, effects=effects, cautions=[*hazards, *(e.warning for e in effects if e.warning)])


def _row(experiment: Experiment, train: DataSplit, place: int) -> Row:
    sample = int(train.ids[place])
    streams = partial(seeds.streams, experiment.seed, sample=sample)
    return Row(
        train.samples.read(sample), train.labels(place), streams, train.samples.name(sample), train.describe(place)
    )


def _table(effects: Sequence[Effect], samples: int, noun: str) -> Table:
    """Build the table of how often each op was applied, and its effect."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(f"alone, {effects[0].tries // samples} times on {samples} {noun}{'s' * (samples != 1)}")
    for heading in effects[0].describe():
        table.add_column(heading, justify="right")
    for effect in effects:
        table.add_row(effect.op, *effect.describe().values())
    return table


def _write(content: bytes, output: Path) -> None:
    with storage.storage_errors(f"{output}: cannot be written"):
        output.parent.mkdir(parents=True, exist_ok=True)
        storage.replace(output, content)
