"""Sounds that are decoded as a whole, as no part of them can be found without what is before it."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from functools import lru_cache
from typing import IO, NamedTuple

import numpy as np

from ftaug.audio.clip import Content


class Decoded(NamedTuple):
    """A decoded sound."""

    wave: np.ndarray  # float32 (frames, channels)
    rate: int  # Hz


Version = tuple[int, int] | None
"""Time and size of a file; None for what is not one."""
Decode = Callable[[str | IO[bytes]], Decoded]


class WholeSound:
    """A decoded sound with the interface of an open `soundfile.SoundFile`."""

    subtype = "FLOAT"

    def __init__(self, decoded: Decoded) -> None:
        self.wave, self.samplerate = decoded
        self.frames, self.channels = self.wave.shape
        self._position = 0

    def seek(self, frame: int) -> None:
        """Continue at a frame."""
        self._position = frame

    def read(self, count: int, dtype: str, always_2d: bool) -> np.ndarray:
        """Return the next frames, float32 (n, channels), fewer than `count` at the end."""
        start = self._position
        self._position += count
        return self.wave[start : start + count]


def whole_sound(source: str | Content, decode: Decode) -> WholeSound:
    """Decode a sound, or take it from those decoded last; raises what `decode` does, and OSError."""
    return WholeSound(_decoded(source, decode, version_of(source)))


def version_of(source: str | Content) -> Version:
    """Return what changes with a file; raises OSError."""
    if not isinstance(source, str):
        return None
    status = os.stat(source)  # noqa: PTH116 - a third of the time of a Path, for each sound
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=2)
def _decoded(source: str | Content, decode: Decode, version: Version) -> Decoded:
    return decode(source if isinstance(source, str) else io.BytesIO(source.read()))
