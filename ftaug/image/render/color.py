"""Apply color matrices and lookup tables to pixels."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from ftaug.image.augmentations.transforms import ColorMatrix, LookupTable

NO_COUNTS = np.zeros((256, 3))


def recolored(
    pixels: np.ndarray, colors: Iterable[ColorMatrix | LookupTable], shown: np.ndarray | None = None
) -> np.ndarray:
    """Apply color transforms to RGB pixels in order; statistics are computed on the result of the previous one.

    Where the mask `shown`, uint8 (H, W), is 0, pixels are ignored in statistics and stay black.
    """
    for place, color in enumerate(colors):
        if isinstance(color, ColorMatrix):
            if place and shown is not None and color.needs_mean:
                pixels = np.asarray(cv2.copyTo(pixels, shown))
            affine = color.for_mean(_mean(pixels, shown)) if color.needs_mean else color.for_any_mean
            pixels = np.asarray(cv2.transform(pixels, affine))
        else:
            pixels = _looked_up(pixels, color.make(_counts(pixels, shown) if color.needs_histogram else NO_COUNTS))
    return pixels if shown is None else np.asarray(cv2.copyTo(pixels, shown))


def _looked_up(pixels: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Apply a lookup table, uint8 (256, 3); a table shared by all channels takes OpenCV half the time."""
    red, green, blue = np.ascontiguousarray(values.T)
    if red.tobytes() == green.tobytes() == blue.tobytes():
        return np.asarray(cv2.LUT(pixels, red))
    channels = zip(cv2.split(pixels), (red, green, blue), strict=True)
    return np.asarray(cv2.merge([cv2.LUT(channel, table) for channel, table in channels]))


def _mean(pixels: np.ndarray, shown: np.ndarray | None) -> np.ndarray:
    """Return the mean RGB within the mask; the rest is black, so the mean over all is rescaled, three times as fast."""
    mean = np.array(cv2.mean(pixels)[:3])
    return mean if shown is None else mean * (shown.size / max(1, cv2.countNonZero(shown)))


def _counts(pixels: np.ndarray, shown: np.ndarray | None) -> np.ndarray:
    """Return the histogram of each channel within the mask: (256, 3)."""
    channels = [cv2.calcHist([pixels], [channel], shown, [256], [0, 256]).reshape(256) for channel in range(3)]
    return np.stack(channels, axis=1).astype(np.float64)
