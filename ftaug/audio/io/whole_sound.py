"""Sounds that are decoded as a whole, as no part of them can be found without what is before it."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from ftaug.audio.clip import Content


class Decoded(NamedTuple):
    """A decoded sound."""

    wave: np.ndarray  # float32 (frames, channels)
    rate: int  # Hz


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
    version = None
    if isinstance(source, str):
        status = Path(source).stat()
        version = (status.st_mtime_ns, status.st_size)
    return WholeSound(_decoded(source, decode, version))


@lru_cache(maxsize=2)
def _decoded(source: str | Content, decode: Decode, version: tuple[int, int] | None) -> Decoded:
    """Decode a sound; `version` changes with the file."""
    return decode(source if isinstance(source, str) else io.BytesIO(source.read()))
