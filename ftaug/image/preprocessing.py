"""What a network takes: as its weights expect, or as the experiment file says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftaug.config.experiment import ModelInput
from ftaug.errors import ExperimentError, Problem


def sides(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    """Height and width of a size; None where it is not set."""
    return (size, size) if isinstance(size, int) else size


def adjusted(preprocessing: Mapping[str, Any], input: ModelInput) -> dict[str, Any]:
    """The preprocessing that the weights expect, with what the file sets in its place. Raises ExperimentError.

    Evaluation cuts the center out of a picture whose shorter side is as much larger as with the weights' own size.
    """
    expected = preprocessing["size"]
    size = list(sides(input.size) or expected)
    resize = input.resize or preprocessing["resize"]
    if input.size is not None and input.resize is None and resize is not None:
        resize = round(resize * min(size) / min(expected))
    if resize is not None and resize < min(size):
        text = f"input.resize must be at least the size, {size[0]}×{size[1]} pixels; got {resize}"
        raise ExperimentError(Problem(text, input.place))
    found = {**preprocessing, "size": size, "resize": resize}
    if input.interpolation is not None:
        found["interpolation"] = input.interpolation
    if input.train_size is not None:
        found["train_size"] = list(sides(input.train_size) or size)
    return found
