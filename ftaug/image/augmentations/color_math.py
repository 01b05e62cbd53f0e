"""Color transforms with given parameters: brightness, contrast, saturation, hue and others, as matrices and tables."""

from __future__ import annotations

import math

import numpy as np

from ftaug.image.augmentations.transforms import LEVELS, ColorMatrix, LookupTable, matrix

LUMA = matrix([0.299, 0.587, 0.114])
"""Luma weights of red, green and blue (ITU-R BT.601), as in Pillow and torchvision."""

TO_GRAY = np.tile(LUMA, (3, 1))
UNCHANGED = ColorMatrix(np.eye(7))
FROM_BLACK = ColorMatrix.of(np.zeros((3, 3))).towards(UNCHANGED)
FROM_MEAN_GRAY = ColorMatrix.of(np.zeros((3, 3)), by_mean=TO_GRAY).towards(UNCHANGED)
FROM_OWN_GRAY = ColorMatrix.of(TO_GRAY).towards(UNCHANGED)

GRAY_AXIS = ColorMatrix.of(np.full((3, 3), 1 / 3)).matrix
ACROSS_IT = UNCHANGED.matrix - GRAY_AXIS
AROUND_IT = ColorMatrix.of(matrix([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)).matrix * (np.arange(7) < 6)


def brightened(factor: float) -> ColorMatrix:
    """Multiply all values by a factor."""
    return FROM_BLACK(factor).with_params(factor=factor)


def contrasted(factor: float) -> ColorMatrix:
    """Scale the distance of all values from the image's mean gray."""
    return FROM_MEAN_GRAY(factor).with_params(factor=factor)


def saturated(factor: float) -> ColorMatrix:
    """Scale the distance of each pixel from its own gray; 0 is grayscale."""
    return FROM_OWN_GRAY(factor).with_params(factor=factor)


def hue_turned(turn: float) -> ColorMatrix:
    """Rotate RGB about the gray axis by a share of the full circle."""
    angle = 2 * math.pi * turn
    across = math.cos(angle) * ACROSS_IT + math.sin(angle) * AROUND_IT
    return ColorMatrix(GRAY_AXIS + across).with_params(turn=turn)


def inverted() -> ColorMatrix:
    """Invert all values."""
    return ColorMatrix.of(-np.eye(3), constant=255)


def channels_in_order(order: np.ndarray) -> ColorMatrix:
    """Permute the channels."""
    return ColorMatrix.of(np.eye(3)[order]).with_params(order="".join("RGB"[channel] for channel in order))


def channels_shifted(shares: np.ndarray) -> ColorMatrix:
    """Add a share of white to each channel."""
    red, green, blue = shares.tolist()
    return ColorMatrix.of(np.eye(3), constant=np.tile(255 * shares, 2)).with_params(red=red, green=green, blue=blue)


def warmed(amount: float) -> ColorMatrix:
    """Shift the white balance: above 0 warmer (more red, less blue), below 0 colder; the luma of grays is kept."""
    gains = np.exp2(matrix([amount, 0, -amount]) / 2)
    return ColorMatrix.of(np.diag(gains / (LUMA @ gains))).with_params(warmth=amount)


def gamma_corrected(gamma: float) -> LookupTable:
    """Raise all values, as shares of white, to a power."""
    return LookupTable.of(255 * (LEVELS / 255) ** gamma).with_params(gamma=gamma)


def solarized(threshold: float) -> LookupTable:
    """Invert values from a share of the range on; 1 inverts none."""
    return LookupTable.of(np.abs(LEVELS - 255 * (threshold <= LEVELS / 256))).with_params(threshold=threshold)


def posterized(bits: int) -> LookupTable:
    """Keep only the highest bits of each value."""
    step = 2 ** (8 - bits)
    return LookupTable.of(LEVELS // step * step).with_params(bits=bits)


def autocontrasted() -> LookupTable:
    """Stretch each channel so that its darkest value becomes 0 and its lightest 255, as Pillow does."""

    def make(counts: np.ndarray) -> np.ndarray:
        darkest = np.argmax(counts > 0, axis=0)
        lightest = 255 - np.argmax(counts[::-1] > 0, axis=0)
        factor = np.where(lightest > darkest, 255 / np.maximum(lightest - darkest, 1), 1)
        shift = np.where(lightest > darkest, -darkest * factor, 0)
        return np.asarray(np.clip(LEVELS[:, None] * factor + shift, 0, 255).astype(np.uint8))

    return LookupTable(make, needs_histogram=True)


def equalized() -> LookupTable:
    """Equalize the histogram of each channel, as Pillow does."""

    def make(counts: np.ndarray) -> np.ndarray:
        counts = counts.astype(np.int64)
        last = 255 - np.argmax(counts[::-1] > 0, axis=0)
        step = (counts.sum(axis=0) - np.take_along_axis(counts, last[None], axis=0)[0]) // 255
        below = np.cumsum(counts, axis=0) - counts
        spread = (step // 2 + below) // np.maximum(step, 1)
        return np.asarray(np.where(step > 0, spread, LEVELS[:, None]).clip(0, 255).astype(np.uint8))

    return LookupTable(make, needs_histogram=True)
