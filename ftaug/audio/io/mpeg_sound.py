"""Parts of MP3 files that are slices of the whole, which those that libsndfile decodes after a seek are not.

A frame may use bits that earlier frames left over (the bit reservoir of ISO/IEC 11172-3), and a decoder that begins
inside a file lacks these: up to a thousand samples are wrong, and the last bits of all others depend on where it began.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from threading import Lock
from typing import NamedTuple

import numpy as np

from ftaug.audio.clip import Content
from ftaug.audio.io import libsndfile
from ftaug.audio.io.whole_sound import Version, version_of

BLOCK = 1 << 17
"""Samples of a channel that are decoded together: a block begins in the same state, whatever is read of it."""
LEAD = 20 * 576
"""Samples before a block that are decoded and left out: more than those for which the reservoir has bits."""
STDERR = 2

_redirected = Lock()


class Header(NamedTuple):
    """What an MP3 file says of itself."""

    rate: int  # Hz
    frames: int
    channels: int


class MpegSound:
    """An MP3 sound with the interface of an open `soundfile.SoundFile`."""

    format, subtype = "MP3", "MPEG_LAYER_III"

    def __init__(self, source: str | Content, version: Version, header: Header) -> None:
        self._source, self._version, self._position = source, version, 0
        self.samplerate, self.frames, self.channels = header

    def seek(self, frame: int) -> None:
        """Continue at a frame."""
        self._position = frame

    def read(self, count: int, dtype: str = "float32", always_2d: bool = True) -> np.ndarray:
        """Return the next frames, float32 (n, channels), fewer than `count` at the end; raises LibsndfileError."""
        start, end = self._position, min(self._position + count, self.frames)
        self._position += count
        parts = [np.zeros((0, self.channels), np.float32)]
        for number in range(start // BLOCK, -(-end // BLOCK)):
            block = _block(self._source, self._version, number)
            parts.append(block[max(0, start - number * BLOCK) : end - number * BLOCK])
            if len(block) < BLOCK:  # the file was cut
                break
        return np.concatenate(parts)


def mpeg_sound(source: str | Content) -> MpegSound | None:
    """Return a sound if it is MP3, whatever its name; raises LibsndfileError and OSError."""
    version = version_of(source)
    header = _header(source, version)
    return None if header is None else MpegSound(source, version, header)


@lru_cache(maxsize=4096)
def _header(source: str | Content, version: Version) -> Header | None:
    with libsndfile.sound_file(source) as file:
        header = Header(int(file.samplerate), int(file.frames), int(file.channels))
        return header if file.format == "MP3" else None


@lru_cache(maxsize=4)
def _block(source: str | Content, version: Version, number: int) -> np.ndarray:
    """Decode a block: float32 (n, channels); fewer than BLOCK at the end."""
    lead = min(LEAD, number * BLOCK)
    with _without_messages() if lead else nullcontext(), libsndfile.sound_file(source) as file:
        file.seek(number * BLOCK - lead)  # of a file opened anew: after a seek, a decoder has bits of where it was
        wave: np.ndarray = file.read(lead + BLOCK, dtype="float32", always_2d=True)
    return wave[lead:]


@contextmanager
def _without_messages() -> Iterator[None]:
    """Context manager in which nothing is written to stderr: mpg123 reports each reservoir that it lacks there."""
    with _redirected:
        try:
            duplicate = os.dup(STDERR)
        except OSError:  # stderr is closed
            yield
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, STDERR)
        os.close(nowhere)
        try:
            yield
        finally:
            os.dup2(duplicate, STDERR)
            os.close(duplicate)
