"""Preprocessing of a network's input: as its pretrained weights expect, adjusted by the experiment file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ftaug.config.experiment import ModelInput
from ftaug.errors import ExperimentError, Problem


def sides(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    """Return the height and width of a size setting; None if it is not set."""
    return (size, size) if isinstance(size, int) else size


def at_size(preprocessing: Mapping[str, Any], size: Sequence[int]) -> dict[str, Any]:
    """Return the preprocessing for another input size; the cropped share of the image stays the same."""
    resize, scale = preprocessing["resize"], min(size) / min(preprocessing["size"])
    return {**preprocessing, "size": list(size), "resize": None if resize is None else round(resize * scale)}


def adjusted(preprocessing: Mapping[str, Any], input: ModelInput) -> dict[str, Any]:
    """Return the preprocessing that the weights expect with the `input:` settings applied. Raises ExperimentError.

    With another size, the resize before the center crop is scaled in proportion.
    """
    size = sides(input.size) or preprocessing["size"]
    result = at_size(preprocessing, size)
    if input.resize is not None:
        if input.resize < min(size):
            text = f"input.resize must be at least the size, {size[0]}×{size[1]} pixels; got {input.resize}"
            raise ExperimentError(Problem(text, input.place))
        result["resize"] = input.resize
    if input.interpolation is not None:
        result["interpolation"] = input.interpolation
    if input.train_size is not None:
        result["train_size"] = list(sides(input.train_size) or size)
    return result


def box_of(preprocessing: Mapping[str, Any]) -> tuple[int, int]:
    """Return the height and width that an image is squashed to or fitted into, with the input's aspect ratio."""
    height, width = preprocessing["size"]
    shorter = min(height, width)
    resize = shorter if preprocessing.get("crop_mode", "center") == "center" else preprocessing.get("resize") or shorter
    return height * resize // shorter, width * resize // shorter
