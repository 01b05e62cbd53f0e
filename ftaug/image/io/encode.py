"""Pictures → the content of files."""

from __future__ import annotations

import cv2
import numpy as np

SUFFIX = ".png"


def encode(pixels: np.ndarray) -> bytes:
    """The content of a PNG file that holds exactly these pixels, uint8 (H, W, 3)."""
    _, content = cv2.imencode(SUFFIX, pixels[..., ::-1])
    return content.tobytes()
