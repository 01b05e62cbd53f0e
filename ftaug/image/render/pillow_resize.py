"""Resize an image to Pillow's pixels, bit by bit, but only the part that a crop shows.

Pillow resizes the columns, rounds to uint8, and resizes the rows, each by sums of pixels with weights of 22 bits.
torch's `embedding_bag` has the sums of an axis in a third of Pillow's time. The weights are split in a high and a
low half, so that all sums are of integers below 2**24, which float32 represents exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, NamedTuple

import cv2
import numpy as np
from PIL import Image

from ftaug.image.augmentations.transforms import Interpolation
from ftaug.image.render.resample import FILTERS

SUPPORT = {"bilinear": 1, "bicubic": 2}
WEIGHT_BITS, LOW_BITS = 22, 7
MOST_TAPS = 512
"""Largest number of weights of a pixel whose low halves sum up to less than 2**24."""

STRIP = 2**19
"""Number of values that are resized at a time: they stay in the CPU's cache."""

Source = Callable[[slice, slice], np.ndarray]
"""Function from rows and columns of an image to its pixels, uint8 (H, W, 3)."""


class Axis(NamedTuple):
    """Resampling of one axis: the range of source pixels, and a function from it (length, N) to the crop (crop, N)."""

    first: int
    last: int
    resize: Callable[[np.ndarray], np.ndarray]


def resized_crop(
    source: Source,
    shape: tuple[int, int],
    size: tuple[int, int],
    crop: tuple[slice, slice],
    interpolation: Interpolation,
) -> np.ndarray:
    """Return the crop, in rows and columns, of an image of a shape resized to a size: uint8 (H, W, 3)."""
    down, across = (
        _axis(length, full, part.start, part.stop, interpolation)
        for length, full, part in zip(shape, size, crop, strict=True)
    )
    columns = slice(across.first, across.last)
    height, width = (part.stop - part.start for part in crop)
    band = np.empty((down.last - down.first, width, 3), np.uint8)
    step = max(1, STRIP // (3 * (across.last - across.first)))
    for start in range(down.first, down.last, step):
        strip = source(slice(start, min(start + step, down.last)), columns)
        resized = across.resize(np.asarray(cv2.transpose(strip)).reshape(strip.shape[1], -1))
        band[start - down.first :][: len(strip)] = cv2.transpose(resized.reshape(width, -1, 3))
    return down.resize(band.reshape(len(band), -1)).reshape(height, width, 3)


@lru_cache(maxsize=32)
def _axis(length: int, full: int, start: int, stop: int, interpolation: Interpolation) -> Axis:
    """Return the resampling from `length` to `full` pixels, of which those from start to stop are needed."""
    if length == full:
        return Axis(start, stop, lambda pixels: pixels)
    if interpolation == "nearest":
        numbers = Image.fromarray(np.arange(length, dtype=np.int32)[None])
        indices = np.asarray(numbers.resize((full, 1), FILTERS[interpolation]))[0, start:stop]
        return Axis(indices[0], indices[-1] + 1, lambda pixels: pixels[indices - indices[0]])
    indices, weights = _taps(length, full, start, stop, interpolation)
    if indices.shape[1] > MOST_TAPS:
        return Axis(0, length, lambda pixels: _by_pillow(pixels, full, interpolation)[start:stop])
    first, last = int(indices[0, 0]), int(indices[-1, -1]) + 1
    import torch

    low = torch.from_numpy((weights % 2**LOW_BITS).astype(np.float32) / 2**LOW_BITS)
    high = torch.from_numpy((weights >> LOW_BITS).astype(np.float32))
    return Axis(first, last, partial(_summed, indices=torch.from_numpy(indices - first), low=low, high=high))


def _taps(length: int, full: int, start: int, stop: int, interpolation: Interpolation) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices and Pillow's integer weights of the source pixels of each pixel, both int64 (pixels, taps)."""
    scale = length / full
    reach = SUPPORT[interpolation] * max(scale, 1.0)
    centers = (np.arange(start, stop)[:, None] + 0.5) * scale
    first = np.maximum((centers - reach + 0.5).astype(np.int64), 0)
    last = np.minimum((centers + reach + 0.5).astype(np.int64), length)
    indices = first + np.arange((last - first).max())
    x = np.abs((indices - centers + 0.5) * (1 / max(scale, 1.0)))
    if interpolation == "bilinear":
        weights = np.maximum(1 - x, 0)
    else:
        near, far = (1.5 * x - 2.5) * x * x + 1, (((x - 5) * x + 8) * x - 4) * -0.5
        weights = np.where(x < 1, near, np.where(x < 2, far, 0))
    weights[indices >= last] = 0
    shares = weights / weights.cumsum(1)[:, -1:] * 2**WEIGHT_BITS
    return np.minimum(indices, length - 1), np.trunc(shares + np.copysign(0.5, shares)).astype(np.int64)


def _summed(pixels: np.ndarray, indices: Any, low: Any, high: Any) -> np.ndarray:
    import torch
    from torch.nn.functional import embedding_bag

    levels = torch.from_numpy(pixels).float()
    sums = embedding_bag(indices, levels, per_sample_weights=low, mode="sum").floor_()
    sums += embedding_bag(indices, levels, per_sample_weights=high, mode="sum")
    sums += 2 ** (WEIGHT_BITS - LOW_BITS - 1)  # to round
    return sums.mul_(2.0 ** (LOW_BITS - WEIGHT_BITS)).clamp_(0, 255).to(torch.uint8).numpy()


def _by_pillow(pixels: np.ndarray, full: int, interpolation: Interpolation) -> np.ndarray:
    image = Image.fromarray(pixels)
    return np.asarray(image.resize((image.width, full), FILTERS[interpolation]))
