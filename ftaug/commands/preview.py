"""`ftaug preview`: a sheet that shows what the model will be trained on."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from ftaug.config.experiment import Experiment
from ftaug.config.registry import Component
from ftaug.engine import seeds
from ftaug.engine.portion import Portion, portions
from ftaug.engine.storage import replace, storage_errors
from ftaug.errors import ExperimentError
from ftaug.image import samples, sheet
from ftaug.load import load

PICTURES = 5


def run(config: Path, overrides: Sequence[str], output: Path) -> None:
    """Draw training pictures: as they are, after each augmentation, after all, and mixed. Prints the file's name."""
    format = _format(output)
    experiment = load(config, overrides)
    train = portions(experiment.data, experiment.seed)["train"]
    for hazard in samples.hazards(experiment.augment, train.task):
        print(f"caution: {hazard}", file=sys.stderr)
    chosen = _of_many_classes(train, PICTURES)
    columns = _columns(experiment, train, chosen)
    rows = [
        (", ".join(train.labels(place)) or "none", Path(train.samples.name(int(train.ids[place]))).name)
        for place in chosen
    ]
    names = ", ".join(op.name for op in experiment.augment) or "no augmentation"
    picture = sheet.draw(columns, rows, experiment.name, f"{len(train):,} training pictures; {names}")
    _write(picture, format, output)
    print(output)


def _of_many_classes(portion: Portion, count: int) -> list[int]:
    """Places of the first samples of classes that are spread over all of them."""
    if portion.task.multi_label:
        return [int(place) for place in np.linspace(0, len(portion) - 1, min(count, len(portion)))]
    _, first = np.unique(portion.targets, return_index=True)
    return [int(first[i]) for i in np.unique(np.linspace(0, len(first) - 1, min(count, len(first))).astype(int))]


def _row(experiment: Experiment, train: Portion, place: int) -> sheet.Row:
    sample = int(train.ids[place])
    streams = partial(seeds.streams, experiment.seed, sample=sample)
    return sheet.Row(train.samples.read(sample), train.labels(place), streams)


def _columns(experiment: Experiment, train: Portion, chosen: Sequence[int]) -> list[sheet.Column]:
    preprocessing = experiment.backbone(train.task.classes).preprocessing
    rows = [_row(experiment, train, place) for place in chosen]
    columns = sheet.columns(rows, experiment.augment, preprocessing)
    if experiment.mix is None:
        return columns
    names = [
        now.removeprefix(sheet.NOW) or ", ".join(row.labels)
        for row, now in zip(rows, columns[-1].captions, strict=True)
    ]
    return [*columns, _mixed(experiment.mix, experiment.seed, columns[-1], names)]


def _mixed(mix: Component, seed: int, seen: sheet.Column, names: Sequence[str]) -> sheet.Column:
    """A column's pictures as the batch of a step, mixed; each says whose it is."""
    import torch

    targets = torch.from_numpy(np.eye(len(names), dtype=np.float32))
    inputs, shares = mix(samples.collate(seen.pictures).float(), targets, seeds.generator(seed, "preview"))
    pictures = inputs.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()
    captions = [
        " + ".join(f"{share:.0%} {name}" for share, name in zip(row, names, strict=True) if share > 0.005)
        for row in shares.tolist()
    ]
    return sheet.Column(seen.group, mix.name, "mixed with one another", list(pictures), captions)


def _format(output: Path) -> str:
    """The format that the suffix names."""
    format = Image.registered_extensions().get(output.suffix.lower(), "")
    if format not in Image.SAVE:
        raise ExperimentError(f"{output}: must end in a picture's suffix, such as .png")
    return format


def _write(picture: Image.Image, format: str, output: Path) -> None:
    encoded = io.BytesIO()
    picture.save(encoded, format)
    with storage_errors(f"{output}: cannot be written"):
        output.parent.mkdir(parents=True, exist_ok=True)
        replace(output, encoded.getvalue())
