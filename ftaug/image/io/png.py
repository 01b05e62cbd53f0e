"""Decode plain PNG files (8 bits, grayscale or RGB, no orientation or alpha) with OpenCV, in half of Pillow's time."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np

from ftaug.image.io.picture import Picture, check_size
from ftaug.image.io.pillow import by_pillow

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PLAIN_CHUNKS = {b"IHDR", b"IDAT", b"IEND", b"pHYs", b"sRGB", b"tIME"}


def plain_png(data: bytes) -> Picture | None:
    """Return a picture decoded by OpenCV, or None if a chunk is unusual, damaged or missing."""
    if not data.startswith(PNG_SIGNATURE) or data[12:16] != b"IHDR":
        return None
    width, height, depth, colors, *_, interlaced = struct.unpack(">2I5B", data[16:29].ljust(13, b"\xff"))
    if depth != 8 or colors not in (0, 2) or interlaced or not _are_plain_and_whole(data):
        return None
    check_size(height, width)
    return Picture(height, width, lambda _: _load(data))


def _are_plain_and_whole(data: bytes) -> bool:
    """Return whether all chunks are of plain kinds, complete, and have valid checksums."""
    at, kind = len(PNG_SIGNATURE), b""
    while kind != b"IEND":
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 8 + length
        if kind not in PLAIN_CHUNKS or int.from_bytes(data[end : end + 4], "big") != zlib.crc32(data[at + 4 : end]):
            return False
        at = end + 4
    return True


def _load(data: bytes) -> np.ndarray:
    pixels: np.ndarray | None = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    return by_pillow(data).load(1) if pixels is None else pixels  # for Pillow's error message
