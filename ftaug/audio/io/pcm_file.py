"""WAV files of 16-bit integers, which most sounds are: a part is read in a third of the time that libsndfile takes."""

from __future__ import annotations

import os
import struct
from functools import lru_cache
from typing import BinaryIO, NamedTuple

import numpy as np

from ftaug.audio.io.wav import INTEGERS

EXTENSIBLE = 0xFFFE
GUID = bytes.fromhex("000000001000800000aa00389b71")
"""What follows the number of the format in an extensible header."""


class Layout(NamedTuple):
    """Where the samples are in a file."""

    rate: int  # Hz
    frames: int
    channels: int
    start: int  # byte of the first sample


class PcmFile:
    """A WAV file of 16-bit integers, with the interface of `soundfile.SoundFile`."""

    subtype = "PCM_16"

    def __init__(self, path: str, layout: Layout) -> None:
        self.samplerate, self.frames, self.channels, self._start = layout
        self._path, self._position = path, 0

    def seek(self, frame: int) -> None:
        """Continue at a frame."""
        self._position = frame

    def read(self, count: int, dtype: str, always_2d: bool) -> np.ndarray:
        """Return the next frames, int16 (n, channels), fewer than `count` at the end; raises OSError."""
        samples = np.empty((max(0, min(count, self.frames - self._position)), self.channels), "<i2")
        frame = samples.itemsize * self.channels
        with open(self._path, "rb") as file:  # noqa: PTH123 - a Path takes as long as reading
            file.seek(self._start + self._position * frame)
            size = file.readinto(samples)  # type: ignore[arg-type]  # an array is a buffer
        self._position += count
        return samples[: size // frame]


def opened(path: str) -> PcmFile | None:
    """Open a WAV file of 16-bit integers; None for all others, also for damaged ones. Raises OSError."""
    status = os.stat(path)  # noqa: PTH116
    layout = _layout_of(path, status.st_mtime_ns, status.st_size)
    return None if layout is None else PcmFile(path, layout)


@lru_cache(maxsize=4096)
def _layout_of(path: str, modified: int, size: int) -> Layout | None:
    with open(path, "rb") as file:  # noqa: PTH123
        try:
            kind, form = struct.unpack("<4s4x4s", file.read(12))
            return _layout(file, size) if (kind, form) == (b"RIFF", b"WAVE") else None
        except struct.error:  # it ends before its samples
            return None


def _layout(file: BinaryIO, size: int) -> Layout | None:
    """Read the chunks of a file up to its samples; raises struct.error."""
    header = b""
    while True:
        name, length = struct.unpack("<4sI", file.read(8))
        start = file.tell()
        if name == b"data":
            return _of_integers(header, start, length) if start + length <= size else None
        if name == b"fmt ":
            header = file.read(min(length, 40))
        file.seek(start + length + length % 2)


def _of_integers(header: bytes, start: int, length: int) -> Layout | None:
    """Return the layout of samples, if their header is that of 16-bit integers; raises struct.error."""
    form, channels, rate, bytes_a_second, block, bits = struct.unpack("<HHIIHH", header[:16])
    if form == EXTENSIBLE and header[26:] == GUID:
        form = int.from_bytes(header[24:26], "little")
    sizes = block == 2 * channels and bytes_a_second == rate * block
    if form != INTEGERS or bits != 16 or not sizes or not 0 < block <= length or not rate:
        return None
    return Layout(rate, length // block, channels, start)
