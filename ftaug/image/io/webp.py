"""Decode plain WebP files (a single picture without alpha, profile or orientation) with OpenCV, faster than Pillow."""

from __future__ import annotations

import cv2
import numpy as np

from ftaug.image.io.picture import Picture, check_size
from ftaug.image.io.pillow import by_pillow

_CHUNK_AT, _DATA_AT = 12, 20
_FOURTEEN_BITS = (1 << 14) - 1


def plain_webp(data: bytes) -> Picture | None:
    """Return a picture decoded by OpenCV, or None if the file holds more than a picture, or not all of it."""
    size = _size(data)
    if size is None:
        return None
    check_size(*size)
    return Picture(*size, lambda _: _load(data))


def _size(data: bytes) -> tuple[int, int] | None:
    """Return height and width; None unless the file is a single chunk with a picture without alpha."""
    if data[:4] != b"RIFF" or data[8:_CHUNK_AT] != b"WEBP" or len(data) < _DATA_AT + 10:
        return None
    length = int.from_bytes(data[_CHUNK_AT + 4 : _DATA_AT], "little")
    end = _DATA_AT + length + length % 2
    if len(data) != end or int.from_bytes(data[4:8], "little") != end - 8:
        return None
    body = data[_DATA_AT : _DATA_AT + 10]
    kind = data[_CHUNK_AT : _CHUNK_AT + 4]
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = (int.from_bytes(body[at : at + 2], "little") & _FOURTEEN_BITS for at in (6, 8))
        return height, width
    if kind == b"VP8L" and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        has_alpha = bits >> 28 & 1
        return None if has_alpha else ((bits >> 14 & _FOURTEEN_BITS) + 1, (bits & _FOURTEEN_BITS) + 1)
    return None


def _load(data: bytes) -> np.ndarray:
    pixels: np.ndarray | None = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    return by_pillow(data).load(1) if pixels is None else pixels  # for Pillow's error message
