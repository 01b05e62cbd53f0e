"""Labelled picture files, held without a Python object per file."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ftaug.errors import BadData, MissingInput, StorageError
from ftaug.interfaces import Task

SUFFIXES = (b".jpg", b".jpeg", b".png", b".webp", b".bmp", b".tif", b".tiff", b".gif")
_RETRIES = 3


@dataclass(frozen=True)
class Packed:
    """A list of byte strings in one buffer: string i is `buffer[ends[i-1]:ends[i]]`."""

    buffer: bytes
    ends: np.ndarray  # int64 (n,)

    @classmethod
    def of(cls, strings: Iterable[bytes]) -> Packed:
        """Pack byte strings."""
        strings = list(strings)
        return cls(b"".join(strings), np.cumsum([len(s) for s in strings], dtype=np.int64))

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, index: int) -> bytes:
        if not 0 <= index < len(self.ends):
            raise IndexError(index)
        return self.buffer[int(self.ends[index - 1]) if index else 0 : int(self.ends[index])]


@dataclass(frozen=True)
class FileSamples:
    """Encoded pictures in files below a folder."""

    root: Path
    paths: Packed  # relative to the root
    targets: np.ndarray
    task: Task
    fingerprint: str
    notes: tuple[str, ...] = ()
    groups: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.paths)

    def read(self, index: int) -> bytes:
        """Return the file's bytes; a network file system gets three more tries."""
        path = Path(self.name(index))
        for delay in [0.1 * 4**attempt for attempt in range(_RETRIES)] + [None]:
            try:
                return path.read_bytes()
            except FileNotFoundError:
                raise BadData(f"{path}: the file was there at the start and is gone") from None
            except PermissionError:
                raise MissingInput(f"{path}: no permission to read the file") from None
            except OSError as error:
                if delay is None or error.errno not in (errno.EIO, errno.ESTALE, errno.ETIMEDOUT):
                    raise StorageError(f"{path}: cannot read: {error.strerror}") from error
                time.sleep(delay)
        raise AssertionError("the last try returns or raises")

    def name(self, index: int) -> str:
        """Name the picture by its path."""
        return f"{self.root}/{os.fsdecode(self.paths[index])}"
