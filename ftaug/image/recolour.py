"""Recolour pixels by matrices and tables, and leave the black outside of a picture black."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from ftaug.image.augmentations.draws import Colour, Table

NO_COUNTS = np.zeros((256, 3))


def recoloured(pixels: np.ndarray, colours: Iterable[Colour | Table]) -> np.ndarray:
    """RGB pixels – or RGBA ones laid on black by their alpha, whose black stays – after some recolourings."""
    for colour in colours:
        if isinstance(colour, Colour):
            pixels = np.asarray(cv2.transform(pixels, _matrix(pixels, colour)))
        else:
            pixels = _looked_up(pixels, colour)
    return pixels


def _matrix(pixels: np.ndarray, colour: Colour) -> np.ndarray:
    if pixels.shape[2] == 3:
        return colour.given(cv2.mean(pixels)[:3])
    *on_black, covered = cv2.mean(pixels)
    matrix = np.eye(4)
    matrix[:3] = colour.given(np.array(on_black) * 255 / max(covered, 1e-6))
    matrix[:3, 3] /= 255
    return matrix


def _looked_up(pixels: np.ndarray, table: Table) -> np.ndarray:
    if pixels.shape[2] == 3:
        values = table.make(_counts(pixels) if table.looks else NO_COUNTS)
        return np.asarray(cv2.LUT(pixels, values[None]))
    alpha = pixels[..., 3]
    values = table.make(_counts(pixels, np.uint8(255) * (alpha == 255)) if table.looks else NO_COUNTS)
    result = np.asarray(cv2.LUT(pixels, np.column_stack([values, np.arange(256, dtype=np.uint8)])[None]))
    result[alpha == 0] = 0
    partial = (alpha > 0) & (alpha < 255)
    share = alpha[partial, None] / 255
    whole = np.rint(pixels[partial, :3] / share).clip(0, 255).astype(np.intp)
    result[partial, :3] = np.rint(np.take_along_axis(values, whole, axis=0) * share)
    return result


def _counts(pixels: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """How many pixels have each value: (256, 3)."""
    channels = [cv2.calcHist([pixels], [channel], mask, [256], [0, 256]) for channel in range(3)]
    return np.concatenate(channels, axis=1).astype(np.float64)
