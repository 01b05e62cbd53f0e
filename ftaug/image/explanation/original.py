"""Maps over the model's input, drawn on the original image: the inverse of the evaluation's resize and crop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ftaug.image.evaluation import Axis, input_axes


def on_original(
    values: np.ndarray, original: tuple[int, int], shape: tuple[int, int], preprocessing: Mapping[str, Any]
) -> np.ndarray:
    """Interpolate a map (rows, columns) over the model's input on an original image that is drawn at another size.

    `original` is the height and width of the image, `shape` that of the result: float64, NaN where the evaluation
    crops the image.
    """
    rows, columns = input_axes(*original, preprocessing)
    by_row = _weights(rows, shape[0], values.shape[0]) @ values
    return np.asarray(by_row @ _weights(columns, shape[1], values.shape[1]).T)


def _weights(axis: Axis, count: int, cells: int) -> np.ndarray:
    """Return the matrix that interpolates cells linearly at `count` positions of an axis; NaN where it is cropped."""
    positions = axis.scale * (np.arange(count) + 0.5) / count + axis.offset
    places = np.clip(positions * cells - 0.5, 0, cells - 1)
    weights = np.maximum(0, 1 - np.abs(places[:, None] - np.arange(cells)))
    visible = (positions > axis.first) & (positions < axis.last)
    return np.where(visible[:, None], weights, np.nan)


def input_box(original: tuple[int, int], preprocessing: Mapping[str, Any]) -> list[float]:
    """Return what the model's input covers of an original image, in its pixels: top, left, bottom, right.

    With padding it reaches beyond the image.
    """
    top, left = (
        [size * (end - axis.offset) / axis.scale for end in (0, 1)]
        for axis, size in zip(input_axes(*original, preprocessing), original, strict=True)
    )
    return [round(corner, 2) for corner in (top[0], left[0], top[1], left[1])]
