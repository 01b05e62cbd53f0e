"""Disk cache of decoded images: a file per image and scale, memory-mapped when large."""

from __future__ import annotations

import mmap
import os
import struct
from functools import lru_cache, partial
from pathlib import Path

import cv2
import numpy as np
import PIL

from ftaug.data.cached_samples import CachedSamples, Stamp, stamp_of
from ftaug.image.io.decode import opened
from ftaug.image.io.jpeg import JPEG_SCALES
from ftaug.image.io.picture import Picture, Turn

VERSION = f"3 {cv2.__version__} {PIL.__version__}"
"""Cache version: this code and its decoders; raise the number when decoding or evaluation changes pixels."""

HEADER = struct.Struct("<8q")  # size and time of the source; upright height and width; turn; scales; stored size
TURN_BITS = (1, 2, 4)
LARGE = 1 << 20
"""Size in bytes from which files are memory-mapped: of large images only a part is used; small ones read faster."""


class DecodedSamples(CachedSamples):
    """Samples with a disk cache of decoded images: each scale is decoded once, then read from the cache folder.

    Bit-identical to decoding; an entry whose source has changed is decoded again.
    """

    def read(self, index: int) -> Picture:
        """Return the picture, whose pixels are loaded lazily, from the cache if possible."""
        stamp = stamp_of(self.samples.name(index))
        try:
            height, width, turn, scales = _head(self._file(index, 0), stamp)
        except (OSError, ValueError):
            return self._open_source(index, stamp)
        return Picture(height, width, partial(self._load, index, stamp), turn, scales)

    def _open_source(self, index: int, stamp: Stamp) -> Picture:
        """Open the source, and cache its header."""
        picture = opened(self.samples.read(index))
        turn = sum(bit for bit, on in zip(TURN_BITS, picture.turn, strict=True) if on)
        head = HEADER.pack(*stamp, picture.height, picture.width, turn, sum(picture.scales), 0, 0)
        self.keep(self._file(index, 0), head, b"")

        def load(scale: int) -> np.ndarray:
            pixels = picture.load(scale)
            self._keep_pixels(index, scale, stamp, pixels)
            return pixels

        return Picture(picture.height, picture.width, load, picture.turn, picture.scales)

    def _load(self, index: int, stamp: Stamp, scale: int) -> np.ndarray:
        """Load the pixels at scale 1/n: uint8 (ceil(H/n), ceil(W/n), 3)."""
        try:
            return _pixels(self._file(index, scale), stamp)
        except (OSError, ValueError):
            pass
        pixels = opened(self.samples.read(index)).load(scale)
        self._keep_pixels(index, scale, stamp, pixels)
        return pixels

    def _file(self, index: int, scale: int) -> str:
        """Return the cache file of a sample at a scale; scale 0 is its header."""
        return f"{self.file(index)}.{scale}"

    def _keep_pixels(self, index: int, scale: int, stamp: Stamp, pixels: np.ndarray) -> None:
        head = HEADER.pack(*stamp, 0, 0, 0, 0, *pixels.shape[:2])
        self.keep(self._file(index, scale), head, np.ascontiguousarray(pixels).data)


@lru_cache(maxsize=1 << 16)
def _head(file: str, stamp: Stamp) -> tuple[int, int, Turn, tuple[int, ...]]:
    """Read the height, width, turn and scales of an image; raises ValueError if the source has another stamp."""
    *source, height, width, turn, scales, _, _ = HEADER.unpack(_check_length(Path(file).read_bytes(), HEADER.size))
    if tuple(source) != stamp:
        raise ValueError("of another source")
    turned = Turn(*(bool(turn & bit) for bit in TURN_BITS))
    return height, width, turned, tuple(n for n in JPEG_SCALES if scales & n)


def _pixels(file: str, stamp: Stamp) -> np.ndarray:
    """Read the pixels in a cache file; raises ValueError if the source has another stamp."""
    handle = os.open(file, os.O_RDONLY)
    try:
        *source, _, _, _, _, height, width = HEADER.unpack(_check_length(os.pread(handle, HEADER.size, 0), HEADER.size))
        size = 3 * height * width
        if tuple(source) != stamp or os.fstat(handle).st_size != HEADER.size + size:
            raise ValueError("of another source, or cut short")
        if size > LARGE:
            mapped = mmap.mmap(handle, 0, access=mmap.ACCESS_COPY)
            return np.frombuffer(mapped, np.uint8, offset=HEADER.size).reshape(height, width, 3)
        pixels = np.empty((height, width, 3), np.uint8)
        os.preadv(handle, [pixels.data], HEADER.size)
        return pixels
    finally:
        os.close(handle)


def _check_length(content: bytes, size: int) -> bytes:
    if len(content) != size:
        raise ValueError("cut short")
    return content
