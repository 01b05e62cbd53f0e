"""Draw a map over an image: orange where it raises the output, blue where it lowers it."""

from __future__ import annotations

import cv2
import numpy as np

from ftaug.documents.palette import LOWERS, RAISES

STRONGEST = 99.5
"""Percentile of the absolute values that is drawn in full color."""

OPACITY = 0.8

DARKEST, LIGHTEST = 50, 230
"""Range of the grays under a map, in which both colors are visible."""


def overlay(pixels: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Blend an image, uint8 (H, W, 3), in gray with a map (H, W); cropped parts, NaN, are faded."""
    luminance = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)[..., None].astype(np.float64)
    gray = DARKEST + luminance * (LIGHTEST - DARKEST) / 255
    cropped = np.isnan(values)
    values = np.where(cropped, 0, values)
    strongest = np.percentile(np.abs(values[~cropped]), STRONGEST) if not cropped.all() else 0
    strength = np.clip(values / strongest, -1, 1)[..., None] if strongest > 0 else np.zeros((*values.shape, 1))
    color = np.where(strength > 0, RAISES, LOWERS)
    opacity = OPACITY * np.abs(strength)
    blended = gray * (1 - opacity) + color * opacity
    faded = 255 - (255 - gray) * 0.35
    return np.asarray(np.where(cropped[..., None], faded, blended).round().astype(np.uint8))
