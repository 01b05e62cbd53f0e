"""What a network takes: as its weights expect, or as the experiment file says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ftaug.config.experiment import ModelInput
from ftaug.errors import ExperimentError, Problem


def sides(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    """Height and width of a size; None where it is not set."""
    return (size, size) if isinstance(size, int) else size


def at_size(preprocessing: Mapping[str, Any], size: Sequence[int]) -> dict[str, Any]:
    """The preprocessing for another size: what is cropped away keeps its share."""
    resize, scale = preprocessing["resize"], min(size) / min(preprocessing["size"])
    return {**preprocessing, "size": list(size), "resize": None if resize is None else round(resize * scale)}


def adjusted(preprocessing: Mapping[str, Any], input: ModelInput) -> dict[str, Any]:
    """The preprocessing that the weights expect, with what the file sets in its place. Raises ExperimentError.

    Evaluation cuts the center out of a picture whose shorter side is as much larger as with the weights' own size.
    """
    size = sides(input.size) or preprocessing["size"]
    found = at_size(preprocessing, size)
    if input.resize is not None:
        if input.resize < min(size):
            text = f"input.resize must be at least the size, {size[0]}×{size[1]} pixels; got {input.resize}"
            raise ExperimentError(Problem(text, input.place))
        found["resize"] = input.resize
    if input.interpolation is not None:
        found["interpolation"] = input.interpolation
    if input.train_size is not None:
        found["train_size"] = list(sides(input.train_size) or size)
    return found


def box_of(preprocessing: Mapping[str, Any]) -> tuple[int, int]:
    """Height and width that a picture is squashed to, or fitted into: the input's proportions."""
    height, width = preprocessing["size"]
    shorter = min(height, width)
    resize = shorter if preprocessing.get("crop_mode", "center") == "center" else preprocessing.get("resize") or shorter
    return height * resize // shorter, width * resize // shorter
