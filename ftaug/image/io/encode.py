"""Encode images as PNG."""

from __future__ import annotations

import cv2
import numpy as np

SUFFIX = ".png"


def encode(pixels: np.ndarray) -> bytes:
    """Encode pixels, uint8 (H, W, 3), as a PNG file, losslessly."""
    _, content = cv2.imencode(SUFFIX, pixels[..., ::-1])
    return content.tobytes()
