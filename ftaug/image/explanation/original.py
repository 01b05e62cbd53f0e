"""Maps over the model's input, drawn on the original image: the inverse of the evaluation's resize and crop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ftaug.attribution.maps import at_positions
from ftaug.image.evaluation import Axis, input_axes
from ftaug.interfaces.explanation import Attribution


def on_original(
    attribution: Attribution, original: tuple[int, int], shape: tuple[int, int], preprocessing: Mapping[str, Any]
) -> np.ndarray:
    """Return the map of an attribution on an original image that is drawn at another size.

    `original` is the height and width of the image, `shape` that of the result: float64, NaN where the evaluation
    crops the image.
    """
    axes = input_axes(*original, preprocessing)
    positions = [_positions(axis, count) for axis, count in zip(axes, shape, strict=True)]
    return at_positions(attribution, *positions)


def _positions(axis: Axis, count: int) -> np.ndarray:
    """Return `count` positions along an axis of an image as shares of the model's input; NaN where it is cropped."""
    positions = axis.scale * (np.arange(count) + 0.5) / count + axis.offset
    return np.where((positions > axis.first) & (positions < axis.last), positions, np.nan)


def input_box(original: tuple[int, int], preprocessing: Mapping[str, Any]) -> list[float]:
    """Return what the model's input covers of an original image, in its pixels: top, left, bottom, right.

    With padding it reaches beyond the image.
    """
    top, left = (
        [size * (end - axis.offset) / axis.scale for end in (0, 1)]
        for axis, size in zip(input_axes(*original, preprocessing), original, strict=True)
    )
    return [round(corner, 2) for corner in (top[0], left[0], top[1], left[1])]
