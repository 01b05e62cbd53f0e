"""Scale images for people to look at."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

JPEG_QUALITY = 85


def fitted(pixels: np.ndarray, side: int) -> np.ndarray:
    """Scale an image, uint8 (H, W, 3), to this longer side; small ones by repeating their pixels."""
    factor = side / max(pixels.shape[:2])
    height, width = (max(1, round(size * factor)) for size in pixels.shape[:2])
    method = Image.Resampling.NEAREST if factor > 2 else Image.Resampling.LANCZOS
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize((width, height), method))


def encoded(pixels: np.ndarray) -> tuple[bytes, str]:
    """Encode an image as PNG or JPEG, whichever is smaller; return the content and its media type."""
    bgr = pixels[..., ::-1]
    png = cv2.imencode(".png", bgr)[1].tobytes()
    jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()
    return (png, "image/png") if len(png) <= len(jpeg) else (jpeg, "image/jpeg")
