"""Facts about an image by which results are broken down: brightness, contrast, sharpness, size and aspect ratio."""

from __future__ import annotations

import cv2
import numpy as np

from ftaug.image.augmentations.pipeline import Raw
from ftaug.image.io.decode import opened
from ftaug.image.io.picture import Picture

LONGEST = 256
"""Longer side in pixels to which larger images are scaled, so that sharpness does not depend on their size."""


def picture_facts(raw: Raw) -> dict[str, float]:
    """Compute the facts of a raw image; raises BadData.

    Brightness and contrast are mean and standard deviation of the gray values, from 0 to 1; sharpness is the standard
    deviation of their Laplacian; size is the shorter side in pixels; aspect is width by height.
    """
    picture = opened(raw)
    gray = cv2.cvtColor(_small(picture), cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    return {
        "brightness": float(gray.mean()),
        "contrast": float(gray.std()),
        "sharpness": float(cv2.Laplacian(gray, cv2.CV_32F).std()),
        "size": float(min(picture.height, picture.width)),
        "aspect": picture.width / picture.height,
    }


def _small(picture: Picture) -> np.ndarray:
    """Load an image with a longer side of at most 256 pixels: uint8 (H, W, 3), as it is stored."""
    longest = max(picture.height, picture.width)
    scale = max(n for n in (1, *picture.scales) if n == 1 or longest >= n * LONGEST)
    pixels = picture.load(scale)
    height, width = pixels.shape[:2]
    if max(height, width) <= LONGEST:
        return pixels
    ratio = LONGEST / max(height, width)
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
