"""Decode image files to upright uint8 RGB, at a reduced scale if requested."""

from __future__ import annotations

import numpy as np
from PIL import Image

from ftaug.errors import BadData
from ftaug.image.io.grayscale import ValueRange
from ftaug.image.io.jpeg import plain_jpeg
from ftaug.image.io.picture import Picture, check_size
from ftaug.image.io.pillow import by_pillow
from ftaug.image.io.png import plain_png
from ftaug.image.io.tiff import deep_tiff
from ftaug.image.io.webp import plain_webp


def opened(raw: bytes | np.ndarray | Picture, value_range: ValueRange | None = None) -> Picture:
    """Open a raw sample, an encoded file or uint8 pixels, without decoding it; raises BadData.

    `value_range` is (black, white) of grayscale images of more than 8 bits.
    """
    if isinstance(raw, Picture):
        return raw
    if isinstance(raw, np.ndarray):
        return _from_array(raw)
    return (
        plain_jpeg(raw)
        or plain_png(raw)
        or plain_webp(raw)
        or deep_tiff(raw, value_range)
        or by_pillow(raw, value_range)
    )


def decode(data: bytes, reduce: int = 1, value_range: ValueRange | None = None) -> np.ndarray:
    """Decode a file to upright uint8 (H, W, 3) RGB, at 1/reduce (1, 2, 4, 8) of its size; raises BadData."""
    picture = opened(data, value_range)
    if reduce == 1 or reduce in picture.scales:
        pixels = picture.load(reduce)
    else:
        pixels = np.asarray(Image.fromarray(picture.load(1)).reduce(reduce))
    return picture.turn.apply(pixels)


def probe(data: bytes) -> tuple[int, int]:
    """Read the height and width of the upright image from its header; raises BadData."""
    picture = opened(data)
    return picture.height, picture.width


def _from_array(pixels: np.ndarray) -> Picture:
    if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)):
        raise BadData(f"pixels must be uint8 of shape (H, W) or (H, W, 3); got {pixels.dtype} {pixels.shape}")
    check_size(*pixels.shape[:2])
    rgb = np.ascontiguousarray(pixels) if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    return Picture(pixels.shape[0], pixels.shape[1], lambda _: rgb)
