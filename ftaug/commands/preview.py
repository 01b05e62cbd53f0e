"""`ftaug preview`: a sheet that shows what the model will be trained on, and what each augmentation does."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from rich import box
from rich.table import Table

from ftaug.config.experiment import Experiment
from ftaug.config.registry import Component, nested
from ftaug.config.severity import governed
from ftaug.engine import seeds, storage
from ftaug.engine.portion import Portion, portions
from ftaug.errors import ExperimentError, did_you_mean
from ftaug.image import samples, sheet
from ftaug.image.effects import Effect, effects
from ftaug.load import load
from ftaug.runs import output as results
from ftaug.runs.screen import console


def run(
    *,
    config: Path,
    overrides: Sequence[str],
    output: Path,
    op: str | None,
    class_name: str | None,
    count: int,
    severity_grid: bool,
    as_json: bool,
) -> None:
    """Draw training samples as they are, after each augmentation, after all, and mixed. Prints the file's name."""
    format = _format(output)
    experiment = load(config, overrides)
    if op is not None:
        experiment = _of_one_op(experiment, op, config, overrides)
    train = portions(experiment.data, experiment.seed)["train"]
    chosen = _of_class(train, class_name, count) if class_name is not None else _of_many_classes(train, count)
    rows = [_row(experiment, train, place) for place in chosen]
    preprocessing = experiment.backbone(train.task.classes).preprocessing
    names = ", ".join(op.name for op in experiment.augment) or "no augmentation"
    subtitle = f"{len(train):,} training pictures; {names}"
    if severity_grid:
        picture = _grid(experiment, rows[0], preprocessing)
    else:
        columns = _columns(experiment, rows, preprocessing, op)
        labels = [(train.told(place), Path(train.samples.name(int(train.ids[place]))).name) for place in chosen]
        picture = sheet.draw(columns, labels, experiment.name, subtitle)
    found = effects(samples.pipeline(experiment.augment, preprocessing), rows)
    cautions = samples.hazards(experiment.augment, train.task) + [e.warning for e in found if e.warning]
    _write(picture, format, output)
    for caution in cautions:
        print(f"caution: {caution}", file=sys.stderr)
    if as_json:
        figures = [asdict(effect) for effect in found]
        print(results.to_json({"sheet": str(output), "effects": figures, "cautions": cautions}))
        return
    if found:
        console().print(_table(found, len(rows)))
    print(output)


def _of_one_op(experiment: Experiment, name: str, config: Path, overrides: Sequence[str]) -> Experiment:
    """The experiment with one op alone: as its file has it, else as it is without settings."""
    ops = (op for _, op in nested(experiment.augment) if op.name == name and op.kind == "augmentation")
    found = next(ops, None)
    if found is None:
        return replace(load(config, [*overrides, f"augment=[{name}]"]), mix=None)
    return replace(experiment, augment=(found,), mix=None)


def _of_class(portion: Portion, name: str, count: int) -> list[int]:
    """The first samples of a class."""
    if portion.task.regression:
        raise ExperimentError(f"--class {name}: data.train has numbers, and no classes; leave it out")
    classes = portion.task.classes
    if name not in classes:
        raise ExperimentError(f"--class {name}: data.train has no class '{name}'{did_you_mean(name, classes)}")
    code = classes.index(name)
    shows = portion.targets[:, code] > 0 if portion.task.multi_label else portion.targets == code
    return [int(place) for place in np.flatnonzero(shows)[:count]]


def _of_many_classes(portion: Portion, count: int) -> list[int]:
    """Places of the first samples of classes, spread over all of them; where there are fewer, several of each."""
    if portion.task.kind != "single_label":
        return [
            int(place) for place in np.unique(np.linspace(0, len(portion) - 1, min(count, len(portion))).astype(int))
        ]
    by_class = [np.flatnonzero(portion.targets == code) for code in np.unique(portion.targets)]
    if count < len(by_class):
        by_class = [by_class[i] for i in np.linspace(0, len(by_class) - 1, count).astype(int)]
    each, rest = divmod(count, len(by_class))
    return [int(place) for i, places in enumerate(by_class) for place in places[: each + (i < rest)]]


def _row(experiment: Experiment, train: Portion, place: int) -> sheet.Row:
    sample = int(train.ids[place])
    streams = partial(seeds.streams, experiment.seed, sample=sample)
    return sheet.Row(train.samples.read(sample), train.labels(place), streams)


def _columns(
    experiment: Experiment, rows: Sequence[sheet.Row], preprocessing: Mapping[str, Any], op: str | None
) -> list[sheet.Column]:
    if op is not None:
        return sheet.repeated(rows, experiment.augment[0], preprocessing)
    columns = sheet.columns(rows, experiment.augment, preprocessing)
    if experiment.mix is None:
        return columns
    names = [
        now.removeprefix(sheet.NOW) if now.startswith(sheet.NOW) else ", ".join(row.labels)
        for row, now in zip(rows, columns[-1].captions, strict=True)
    ]
    return [*columns, _mixed(experiment.mix, experiment.seed, columns[-1], names)]


def _mixed(mix: Component, seed: int, seen: sheet.Column, names: Sequence[str]) -> sheet.Column:
    """A column's pictures as the batch of a step, mixed; each says whose it is."""
    import torch

    targets = torch.from_numpy(np.eye(len(names), dtype=np.float32))
    inputs, shares = mix(samples.collate(seen.pictures), targets, seeds.generator(seed, "preview"))
    pictures = inputs.float().round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()
    captions = [
        " + ".join(f"{share:.0%} {name}" for share, name in zip(row, names, strict=True) if share > 0.005)
        for row in shares.tolist()
    ]
    return sheet.Column(seen.group, mix.name, "mixed with one another", list(pictures), captions)


def _grid(experiment: Experiment, row: sheet.Row, preprocessing: Mapping[str, Any]) -> Image.Image:
    """The ops that have a severity as rows, severities as columns."""
    graded = [op for op in experiment.augment if governed(op.entry)]
    if not graded:
        raise ExperimentError("--severity-grid: none of the augmentations has a severity")
    without = [op.name for op in experiment.augment if op not in graded]
    columns = sheet.severity_grid(row, graded, preprocessing)
    labels = [(op.name, ", ".join(governed(op.entry))) for op in graded]
    subtitle = f"one picture of {', '.join(row.labels) or 'no class'}, the same draw at five severities"
    subtitle += f"; without a severity: {', '.join(without)}" if without else ""
    return sheet.draw(columns, labels, experiment.name, subtitle)


def _table(found: Sequence[Effect], pictures: int) -> Table:
    """How often each op fired and what it did."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(f"alone, {found[0].tries // pictures} times on {pictures} picture{'s' * (pictures != 1)}")
    for heading in ("fired", "mean change", "unchanged", "wiped out"):
        table.add_column(heading, justify="right")
    for effect in found:
        change = "–" if effect.change is None else f"{effect.change:.1f} of 255"
        table.add_row(effect.op, f"{effect.fired:.0%}", change, f"{effect.unchanged:.0%}", f"{effect.wiped_out:.0%}")
    return table


def _format(output: Path) -> str:
    """The format that the suffix names."""
    format = Image.registered_extensions().get(output.suffix.lower(), "")
    if format not in Image.SAVE:
        raise ExperimentError(f"{output}: must end in a picture's suffix, such as .png")
    return format


def _write(picture: Image.Image, format: str, output: Path) -> None:
    encoded = io.BytesIO()
    picture.save(encoded, format)
    with storage.storage_errors(f"{output}: cannot be written"):
        output.parent.mkdir(parents=True, exist_ok=True)
        storage.replace(output, encoded.getvalue())
