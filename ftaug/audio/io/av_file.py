"""Decode sounds that libsndfile does not read, such as AAC, with PyAV (FFmpeg)."""

from __future__ import annotations

import io
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.audio.clip import Content
from ftaug.errors import BadData, missing_extra

SUFFIXES = (b".m4a", b".aac", b".wma", b".amr")


class DecodedSound:
    """A sound that is decoded as a whole, with the interface of `soundfile.SoundFile`."""

    subtype = "FLOAT"

    def __init__(self, wave: np.ndarray, samplerate: int) -> None:
        self.wave = wave  # float32 (frames, channels)
        self.samplerate = samplerate
        self.frames, self.channels = wave.shape
        self._position = 0

    def seekable(self) -> bool:
        """Whether the length is known: yes."""
        return True

    def seek(self, frame: int) -> None:
        """Continue at a frame."""
        self._position = frame

    def read(self, count: int, dtype: str, always_2d: bool) -> np.ndarray:
        """Return the next frames, float32 (n, channels), fewer than `count` at the end."""
        start = self._position
        self._position += count
        return self.wave[start : start + count]


def decoded(source: str | Content) -> DecodedSound:
    """Decode a sound, or take it from those decoded last; raises BadData, OSError, and Unavailable without PyAV.

    The silence that encoders add before a sound is left out where the file says how long it is, as those of MP4 do;
    what they add behind it, less than a frame, stays.
    """
    version = None
    if isinstance(source, str):
        status = Path(source).stat()
        version = (status.st_mtime_ns, status.st_size)
    return DecodedSound(*_decoded(source, version))


@lru_cache(maxsize=2)
def _decoded(source: str | Content, version: tuple[int, int] | None) -> tuple[np.ndarray, int]:
    """Return the frames (n, channels) and the rate; `version` changes with the file."""
    suffix = os.path.splitext(source if isinstance(source, str) else source.name)[1]  # noqa: PTH122 - not of a path
    try:
        import av
    except ImportError:
        raise missing_extra(f"reading {suffix} files", "PyAV", "av") from None
    try:
        with av.open(source if isinstance(source, str) else io.BytesIO(source.read())) as container:
            if not container.streams.audio:
                raise BadData("has no audio track")
            return _frames(container)
    except av.error.FFmpegError as error:
        raise BadData(f"is not a sound that can be decoded ({error.strerror})") from None


def _frames(container: Any) -> tuple[np.ndarray, int]:
    import av

    to_floats = av.AudioResampler(format="fltp")  # the format alone changes
    parts: list[np.ndarray] = []
    rate = 0
    for frame in container.decode(audio=0):
        rate = frame.sample_rate
        parts += [each.to_ndarray() for each in to_floats.resample(frame)]
    if not parts:
        raise BadData("holds no sound: 0 samples")
    return np.ascontiguousarray(np.concatenate(parts, axis=1).T), rate
