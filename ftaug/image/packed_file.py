"""The file of a picture for `ftaug pack`: as it is, or made smaller."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

import cv2
import numpy as np

from ftaug.image.datasets.index import SUFFIXES
from ftaug.image.io.decode import opened
from ftaug.image.io.encode import SUFFIX, encode
from ftaug.image.io.picture import Picture
from ftaug.interfaces.data import Samples, Shrink

_JPEG = ".jpg"


def packed_file(samples: Samples, index: int, shrink: Shrink | None) -> tuple[bytes, str]:
    """Return the content of a picture's file and its suffix; raises BadData.

    A picture whose shorter side is longer than that of `shrink` is resized and encoded as JPEG, upright. Others are
    copied; those without a file are encoded as PNG.
    """
    content: Any = getattr(samples, "content", None)
    suffix = PurePath(samples.key(index)).suffix if content is not None else ""  # type: ignore[attr-defined]
    has_file = suffix.lower().encode() in SUFFIXES
    if shrink is None and has_file:
        return content(index), suffix
    picture = opened(samples.read(index))
    if shrink is not None and min(picture.height, picture.width) > shrink.side:
        return _encoded(_resized(picture, shrink.side), shrink.quality), _JPEG
    if has_file:
        return content(index), suffix
    return encode(picture.turn.apply(picture.load(1))), SUFFIX


def _resized(picture: Picture, side: int) -> np.ndarray:
    """Return an upright image with this shorter side: uint8 (H, W, 3), each pixel the mean of the area it covers."""
    shorter = min(picture.height, picture.width)
    scale = max(scale for scale in picture.scales if scale == 1 or shorter // scale >= 2 * side)
    pixels = picture.turn.apply(picture.load(scale))
    height, width = (max(1, round(length * side / shorter)) for length in (picture.height, picture.width))
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))


def _encoded(pixels: np.ndarray, quality: int) -> bytes:
    return cv2.imencode(_JPEG, pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
