"""Disk cache of decoded sounds: a memory-mapped file per sound, of the channel that is used at the file's rate."""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from ftaug.audio.clip import Clip, Recording
from ftaug.audio.io.sound_file import format_of, frames, span_in
from ftaug.errors import BadData, StorageError, disk_advice
from ftaug.interfaces.data import Samples, Task

HEADER = struct.Struct("<4q")  # size and time of the source; rate and number of samples


def decoder() -> str:
    """Name the version of the decoder, on which the bits of samples depend; empty if it is not installed."""
    try:
        return f"soundfile {version('soundfile')}"
    except PackageNotFoundError:
        return ""


@dataclass(frozen=True)
class DecodedSounds:
    """Samples with a disk cache of decoded sounds: each is decoded once as a whole, then read from the cache folder.

    Bit-identical to decoding the part that is used: not cached are sounds that are bad or cut short, of which a part
    may be readable. Files are written under a temporary name and renamed, so that any number of processes may share a
    folder and be killed; a sound whose source has changed is decoded again.
    """

    samples: Samples
    folder: Path
    must_keep: bool  # whether a full disk is an error; otherwise sounds that do not fit are decoded each time

    @property
    def task(self) -> Task:
        """Return that of the wrapped samples."""
        return self.samples.task

    @property
    def targets(self) -> np.ndarray:
        """Return that of the wrapped samples."""
        return self.samples.targets

    @property
    def groups(self) -> np.ndarray | None:
        """Return that of the wrapped samples."""
        return self.samples.groups

    @property
    def fingerprint(self) -> str:
        """Return that of the wrapped samples."""
        return self.samples.fingerprint

    @property
    def notes(self) -> tuple[str, ...]:
        """Return that of the wrapped samples."""
        return self.samples.notes

    def __len__(self) -> int:
        return len(self.samples)

    def name(self, index: int) -> str:
        """Name the sample as its source does."""
        return self.samples.name(index)

    def read(self, index: int) -> Clip:
        """Return the sound, from the cache if possible."""
        clip: Clip = self.samples.read(index)
        if isinstance(clip.source, Recording):
            return clip
        file = f"{self.folder}/{index // 1000}/{index}"
        try:
            status = os.stat(clip.source)  # noqa: PTH116  pathlib takes three times as long
            stamp = status.st_size, status.st_mtime_ns
        except OSError:
            return clip
        try:
            return Clip(_decoded(file, stamp))
        except (OSError, ValueError):
            return self._decode(clip, Path(file), stamp)

    def _decode(self, clip: Clip, file: Path, stamp: tuple[int, int]) -> Clip:
        """Decode a sound as a whole, and cache it."""
        try:
            form = format_of(clip)
            first, count = span_in(form, clip)
            wave = frames(clip, first, count)
        except BadData:
            return clip
        if len(wave) < count:
            return clip
        self._keep(file, HEADER.pack(*stamp, form.rate, count), wave)
        return Clip(Recording(wave, form.rate))

    def _keep(self, file: Path, head: bytes, wave: np.ndarray) -> None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".partial", delete=False) as written:
                try:
                    written.write(head)
                    written.write(np.ascontiguousarray(wave).data)
                    written.close()
                    Path(written.name).replace(file)
                except OSError:
                    Path(written.name).unlink()
                    raise
        except OSError as error:
            if self.must_keep:
                text = f"{self.folder}: cannot cache decoded sounds: {error.strerror}"
                raise StorageError(f"{text}; {disk_advice(error.errno)}, or leave data.cache out") from error


def _decoded(file: str, stamp: tuple[int, int]) -> Recording:
    """Map a cache file; raises OSError if there is none, ValueError if its source has another stamp."""
    handle = os.open(file, os.O_RDONLY)
    try:
        mapped = mmap.mmap(handle, 0, access=mmap.ACCESS_READ)
    finally:
        os.close(handle)
    *source, rate, count = HEADER.unpack(mapped[: HEADER.size].ljust(HEADER.size))
    if tuple(source) != stamp or len(mapped) != HEADER.size + 4 * count:
        raise ValueError("of another source, or cut short")
    return Recording(np.frombuffer(mapped, np.float32, offset=HEADER.size), rate)
