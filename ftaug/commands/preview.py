"""`ftaug preview`: a sheet that shows what the model will be trained on."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ftaug.config.experiment import Experiment
from ftaug.engine import seeds
from ftaug.engine.portion import Portion, portions
from ftaug.engine.storage import replace, storage_errors
from ftaug.errors import ExperimentError
from ftaug.image import samples, sheet
from ftaug.interfaces import Streams
from ftaug.load import load

PICTURES = 5


def run(config: Path, overrides: Sequence[str], output: Path) -> None:
    """Draw training pictures: as they are, after each augmentation, after all, and mixed. Prints the file's name."""
    format = _format(output)
    experiment = load(config, overrides)
    train = portions(experiment.data, experiment.seed)["train"]
    chosen = _of_many_classes(train, PICTURES)
    columns = _columns(experiment, train, chosen)
    rows = [(_classes(train, place), Path(train.samples.name(int(train.ids[place]))).name) for place in chosen]
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


def _classes(portion: Portion, place: int) -> str:
    """The class of a sample, or its classes."""
    target = portion.targets[place]
    named = np.flatnonzero(target) if portion.task.multi_label else [target]
    return ", ".join(portion.task.classes[i] for i in named) or "none"


def _columns(experiment: Experiment, train: Portion, chosen: Sequence[int]) -> list[sheet.Column]:
    preprocessing = experiment.backbone(train.task.classes).preprocessing
    ids = [int(train.ids[place]) for place in chosen]
    raws = [train.samples.read(sample) for sample in ids]

    def streams(epoch: int, row: int) -> Streams:
        return seeds.streams(experiment.seed, epoch, ids[row])

    columns = sheet.columns(raws, experiment.augment, preprocessing, streams)
    return columns if experiment.mix is None else [*columns, _mixed(experiment, train, chosen, columns[-1])]


def _mixed(experiment: Experiment, train: Portion, chosen: Sequence[int], seen: sheet.Column) -> sheet.Column:
    """The last column's pictures as the batch of a step, mixed; each says whose it is."""
    import torch

    targets = torch.from_numpy(np.eye(len(chosen), dtype=np.float32))
    assert experiment.mix is not None
    rng = seeds.generator(experiment.seed, "preview")
    inputs, shares = experiment.mix(samples.collate(seen.pictures).float(), targets, rng)
    pictures = inputs.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()
    names = [_classes(train, place) for place in chosen]
    captions = [
        " + ".join(f"{share:.0%} {names[i]}" for i, share in enumerate(row) if share > 0.005) for row in shares.tolist()
    ]
    return sheet.Column("what the model sees", experiment.mix.name, "mixed with one another", list(pictures), captions)


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
