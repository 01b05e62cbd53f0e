"""Validate augmentation settings that depend on one another, before any data is read."""

from __future__ import annotations

from collections.abc import Iterator

from ftaug.config.checks import reads
from ftaug.config.experiment import Experiment
from ftaug.config.problems import PartialProblem, predicate
from ftaug.config.registry import Component
from ftaug.config.yaml_document import Where

Found = Iterator[tuple[Where, PartialProblem]]


KEEPS_SIZE = {
    *("horizontal_flip", "vertical_flip", "rotate", "translate", "scale", "shear", "affine", "perspective"),
    *("brightness", "contrast", "saturation", "hue", "color_jitter", "grayscale", "trivial_augment", "rand_augment"),
}


@reads("augment")
def _crops_fit(experiment: Experiment) -> Found:
    """Check that a crop without padding is not larger than the size fixed by an op before it."""
    height = width = 0
    for index, op in enumerate(experiment.augment):
        size = _size(op)
        if size is None:
            height, width = (height, width) if op.name in KEEPS_SIZE else (0, 0)
            continue
        is_crop = op.name in ("random_crop", "center_crop") and not op.settings.get("padding")
        if is_crop and height and (size[0] > height or size[1] > width):
            words = f"must fit into the {height}×{width} pixels that the ops before it leave; got {size[0]}×{size[1]}"
            yield ("augment", index, op.name, "size"), predicate(words)
        height, width = size if _fixes_size(op) else (0, 0)


def _size(op: Component) -> tuple[int, int] | None:
    size = op.settings.get("size")
    if isinstance(size, int):
        return size, size
    return size if isinstance(size, tuple) and len(size) == 2 else None


def _fixes_size(op: Component) -> bool:
    """Return whether every image has the op's size after it."""
    return op.name != "resize" or op.settings["mode"] in ("squash", "pad")
