"""Decoded pictures kept in files, one for each scale that was asked for, and read by memory map."""

from __future__ import annotations

import errno
import mmap
import os
import struct
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import PIL

from ftaug.errors import StorageError
from ftaug.image.decode import Picture, Turn, opened
from ftaug.interfaces import Samples, Task

VERSION = f"1 {cv2.__version__} {PIL.__version__}"
"""Pixels are those of this code and these decoders."""

HEADER = struct.Struct("<8q")  # size and time of the source; upright height and width; turn; scales; stored size
TURN_BITS = (1, 2, 4)


@dataclass(frozen=True)
class DecodedSamples:
    """Samples that are decoded once: what a scale of a picture came to is kept in a folder, and taken from there.

    Bit for bit what decoding gives. A file is written under another name and renamed, so that any number of processes
    may share a folder and be killed; one whose source changed since is made again.
    """

    samples: Samples
    folder: Path
    must_keep: bool  # whether a full disk is an error; otherwise what does not fit is decoded each time

    @property
    def task(self) -> Task:
        """The samples'."""
        return self.samples.task

    @property
    def targets(self) -> np.ndarray:
        """The samples'."""
        return self.samples.targets

    @property
    def groups(self) -> np.ndarray | None:
        """The samples'."""
        return self.samples.groups

    @property
    def fingerprint(self) -> str:
        """The samples'."""
        return self.samples.fingerprint

    @property
    def notes(self) -> tuple[str, ...]:
        """The samples'."""
        return self.samples.notes

    def __len__(self) -> int:
        return len(self.samples)

    def name(self, index: int) -> str:
        """Name the sample as its source does."""
        return self.samples.name(index)

    def read(self, index: int) -> Picture:
        """Return the picture, its pixels still to be loaded: from the folder, where they are there."""
        stamp = self._stamp(index)
        head = self._file(index, 0)
        try:
            known = head.read_bytes()
        except OSError:
            known = b""
        if len(known) != HEADER.size or HEADER.unpack(known)[:2] != stamp:
            return self._first(index, stamp)
        _, _, height, width, turn, scales, _, _ = HEADER.unpack(known)
        turned = Turn(*(bool(turn & bit) for bit in TURN_BITS))
        smaller = tuple(n for n in (1, 2, 4, 8) if scales & n)
        return Picture(height, width, partial(self._load, index, stamp), turned, smaller)

    def _first(self, index: int, stamp: tuple[int, int]) -> Picture:
        """Open the source, and keep what its header says."""
        picture = opened(self.samples.read(index))
        turn = sum(bit for bit, on in zip(TURN_BITS, picture.turn, strict=True) if on)
        head = HEADER.pack(*stamp, picture.height, picture.width, turn, sum(picture.scales), 0, 0)
        self._keep(self._file(index, 0), head, b"")

        def load(scale: int) -> np.ndarray:
            pixels = picture.load(scale)
            self._keep_pixels(index, scale, stamp, pixels)
            return pixels

        return Picture(picture.height, picture.width, load, picture.turn, picture.scales)

    def _load(self, index: int, stamp: tuple[int, int], scale: int) -> np.ndarray:
        """The pixels at a scale: uint8 (ceil(H/n), ceil(W/n), 3)."""
        if (kept := _mapped(self._file(index, scale), stamp)) is not None:
            return kept
        pixels = opened(self.samples.read(index)).load(scale)
        self._keep_pixels(index, scale, stamp, pixels)
        return pixels

    def _stamp(self, index: int) -> tuple[int, int]:
        """What changes when the sample's file does: its size and time of modification."""
        try:
            found = Path(self.samples.name(index)).stat()
        except OSError:  # not a file: the fingerprint of all samples has to do
            return 0, 0
        return found.st_size, found.st_mtime_ns

    def _file(self, index: int, scale: int) -> Path:
        """Where a scale of a sample is kept; scale 0 is what its header says."""
        return Path(f"{self.folder}/{index // 1000}/{index}.{scale}")

    def _keep_pixels(self, index: int, scale: int, stamp: tuple[int, int], pixels: np.ndarray) -> None:
        head = HEADER.pack(*stamp, 0, 0, 0, 0, *pixels.shape[:2])
        self._keep(self._file(index, scale), head, np.ascontiguousarray(pixels).data)

    def _keep(self, file: Path, head: bytes, content: bytes | memoryview) -> None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".partial", delete=False) as written:
                try:
                    written.write(head)
                    written.write(content)
                    written.close()
                    Path(written.name).replace(file)
                except OSError:
                    Path(written.name).unlink()
                    raise
        except OSError as error:
            if self.must_keep:
                hint = "make room, or leave data.cache out" if error.errno == errno.ENOSPC else "leave data.cache out"
                raise StorageError(f"{self.folder}: cannot keep decoded pictures: {error.strerror}; {hint}") from error


def _mapped(file: Path, stamp: tuple[int, int]) -> np.ndarray | None:
    """The pixels in a file, mapped copy-on-write; None where there are none, or not of this source."""
    try:
        handle = os.open(file, os.O_RDONLY)
    except OSError:
        return None
    try:
        content = mmap.mmap(handle, 0, access=mmap.ACCESS_COPY)
    except (OSError, ValueError):  # an empty file
        return None
    finally:
        os.close(handle)
    if len(content) < HEADER.size:
        return None
    *found, _, _, _, _, height, width = HEADER.unpack_from(content)
    if tuple(found) != stamp or len(content) != HEADER.size + 3 * height * width:
        return None
    return np.frombuffer(content, np.uint8, offset=HEADER.size).reshape(height, width, 3)
