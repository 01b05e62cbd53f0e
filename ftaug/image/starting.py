"""A first experiment file for a folder of pictures."""

from __future__ import annotations

import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ftaug.errors import BadData, printable
from ftaug.folders.classes import check_folder, splits
from ftaug.folders.named import below, written_path
from ftaug.image.datasets.folder import image_folder
from ftaug.image.datasets.index import SUFFIXES, FileSamples
from ftaug.image.decode import probe

SMALL = 64  # pictures up to this shorter side are for the small network
IMBALANCED = 3  # from this ratio of the largest class to the smallest on, classes get weights
LOOKED_AT = 64  # pictures whose size is read


@dataclass(frozen=True)
class Found:
    """What a folder of pictures holds."""

    folders: dict[str, Path]  # for train, and for val and test where there are any
    counts: dict[str, int]  # training pictures of each class
    height: int  # medians
    width: int

    @property
    def pictures(self) -> int:
        """The number of training pictures."""
        return sum(self.counts.values())

    @property
    def imbalance(self) -> float:
        """How many times more pictures the largest class has than the smallest."""
        return max(self.counts.values()) / min(self.counts.values())


def samples_in(path: Path) -> int:
    """How many files below a folder are pictures."""
    return len(below(path, SUFFIXES)) if path.is_dir() else 0


def experiment(path: Path, target: Path) -> str:
    """The text of an experiment file for a folder of pictures; raises BadData, MissingInput."""
    check_folder("image_folder", path)
    return written(look(path), path, target)


def look(folder: Path) -> Found:
    """Count the pictures of each class and measure some of them."""
    folders = splits(folder)
    samples = image_folder("train", path=folders["train"])
    counts = np.bincount(samples.targets, minlength=len(samples.task.classes))
    sizes = measured(samples)
    return Found(
        folders,
        {name: int(count) for name, count in zip(samples.task.classes, counts, strict=True)},
        height=round(statistics.median(height for height, _ in sizes)),
        width=round(statistics.median(width for _, width in sizes)),
    )


def measured(samples: FileSamples) -> list[tuple[int, int]]:
    """Height and width of some pictures, spread over all classes; those that cannot be read are left out."""
    sizes: list[tuple[int, int]] = []
    for index in sorted({len(samples) * step // LOOKED_AT for step in range(LOOKED_AT)}):
        try:
            sizes.append(probe(samples.read(index)))
        except BadData as error:
            print(printable(f"not counted: {error}"), file=sys.stderr)
    if not sizes:
        raise BadData(f"none of the pictures looked at can be read, such as {samples.name(0)}")
    return sizes


def written(found: Found, folder: Path, target: Path) -> str:
    """The text of the experiment file."""
    small = min(found.height, found.width) <= SMALL
    few = found.pictures < 1000
    parts = {part: _dataset(path, target) for part, path in found.folders.items()}
    classes = ", ".join(f"{name} {count}" for name, count in list(found.counts.items())[:8])
    more = ", …" if len(found.counts) > 8 else ""
    batch_size, epochs = _batch_size(found.pictures), _epochs(found.pictures)
    lines = [
        printable(f"# Written by `ftaug init` for {folder}.").replace("\n", " "),
        f"# {found.pictures} training pictures of {len(found.counts)} classes, "
        f"about {found.width}×{found.height} pixels:",
        printable(f"# {classes}{more}").replace("\n", " "),
        "# All that can be set: ftaug list. Try it: ftaug preview THIS_FILE, then ftaug train THIS_FILE.",
        "data:",
        f"  train: {parts['train']}",
        f"  val: {parts['val']}"
        if "val" in parts
        else "  val: {split: 20%}  # taken from train, stratified, the same for every run with this seed",
        *([f"  test: {parts['test']}"] if "test" in parts else []),
        f"  batch_size: {batch_size}",
        *(_SMALL_PICTURES if small else _LARGE_PICTURES),
        _UNFREEZE_SOME if few and not small else "unfreeze: [all]",
        *_loss(found),
        "optimizer: {adamw: {weight_decay: 0.05}}",
        f"lr: {{peak: {'3e-3' if small else '3e-4'}, schedule: {{cosine: {{warmup: 5%}}}}}}",
        f"train: {{epochs: {epochs}}}",
        *_evaluate(found),
    ]
    return "\n".join(lines) + "\n"


_SMALL_PICTURES = (
    "backbone: {resnet20: {weights: letters}}  # made for 32×32 pixels",
    "augment:  # in this order",
    "  - rotate: {degrees: 10}",
    "  - translate: {x: 0.1, y: 0.1}",
)
_LARGE_PICTURES = (
    "backbone: {resnet18: {weights: imagenet}}",
    "augment:  # in this order",
    "  - random_resized_crop: {scale: [0.35, 1.0]}",
    "  - horizontal_flip  # not where left and right matter, as in letters",
)
_UNFREEZE_SOME = "unfreeze: [layer4, head]  # few pictures: the early layers stay as pretrained; all: [all]"


def _dataset(path: Path, target: Path) -> str:
    return f"{{image_folder: {{path: {written_path(path, target)}}}}}"


def _loss(found: Found) -> list[str]:
    if found.imbalance < IMBALANCED:
        return ["loss: {cross_entropy: {label_smoothing: 0.1}}"]
    why = f"the largest class is {found.imbalance:.0f} times the smallest"
    return [f"loss: {{cross_entropy: {{class_weights: balanced}}}}  # {why}"]


def _evaluate(found: Found) -> list[str]:
    best = "balanced_accuracy" if found.imbalance >= IMBALANCED else "accuracy"
    metrics = dict.fromkeys([best, "accuracy", "f1"])
    return [f"evaluate: {{every: 1 epoch, metrics: [{', '.join(metrics)}], best: {best}}}"]


def _batch_size(pictures: int) -> int:
    """A power of two from 4 to 32 that gives some steps per epoch."""
    return max((size for size in (4, 8, 16, 32) if size * 20 <= pictures), default=4)


def _epochs(pictures: int) -> int:
    """More passes over fewer pictures."""
    return next((epochs for limit, epochs in ((500, 50), (5000, 20), (50_000, 10)) if pictures < limit), 5)
