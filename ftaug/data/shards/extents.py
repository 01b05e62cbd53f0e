"""Read samples at their offsets in a few large files."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import lru_cache
from io import FileIO
from pathlib import Path
from typing import Any, Self

import numpy as np

from ftaug.data.retries import read_with_retries
from ftaug.errors import BadData, MissingInput

_OPEN_FILES = 64
"""Maximum number of shards that a process holds open."""


@dataclass(frozen=True)
class Shard:
    """A file with samples, and its size and modification time when it was indexed."""

    path: str
    size: int
    modified: int  # ns

    @classmethod
    def of(cls, path: Path) -> Shard:
        """Return the shard at a path; raises MissingInput."""
        try:
            status = path.stat()
            with path.open("rb"):
                return cls(str(path), status.st_size, status.st_mtime_ns)
        except OSError as error:
            raise MissingInput(f"{path}: cannot be read: {error.strerror}") from None

    @property
    def unchanged(self) -> bool:
        """Whether the file has the size and modification time that it had."""
        try:
            status = os.stat(self.path)  # noqa: PTH116  pathlib takes three times as long
        except OSError:
            return False
        return (status.st_size, status.st_mtime_ns) == (self.size, self.modified)

    def read(self, offset: int, size: int) -> bytes:
        """Return the bytes at an offset; raises BadData if the file has changed, MissingInput and StorageError."""
        return read_with_retries(self.path, lambda: self._read(offset, size))

    def _read(self, offset: int, size: int) -> bytes:
        file = _open(self.path)
        status = os.fstat(file.fileno())
        content = os.pread(file.fileno(), size, offset)
        if (status.st_size, status.st_mtime_ns) != (self.size, self.modified) or len(content) < size:
            _open.cache_clear()
            raise BadData("its shard has changed since the start; restore it, or run the same command again")
        return content


@lru_cache(maxsize=_OPEN_FILES)
def _open(path: str) -> FileIO:
    """Open a file, which a forked process may share: reads do not move a position."""
    return FileIO(path)


@dataclass(frozen=True)
class Extents:
    """The places of samples in shards."""

    shards: tuple[Shard, ...]
    shard_of: np.ndarray  # int32 (n,): the shard of each sample
    offsets: np.ndarray  # int64 (n,)
    sizes: np.ndarray  # int64 (n,)

    def __len__(self) -> int:
        return len(self.offsets)

    def read(self, index: int) -> bytes:
        """Return the bytes of a sample; raises BadData if its shard has changed, MissingInput and StorageError."""
        shard = self.shards[int(self.shard_of[index])]
        return shard.read(int(self.offsets[index]), int(self.sizes[index]))

    def take(self, rows: np.ndarray) -> Self:
        """Return the places of some samples."""
        arrays: dict[str, Any] = {
            name: value[rows] for name, value in vars(self).items() if isinstance(value, np.ndarray)
        }
        return replace(self, **arrays)

    @property
    def places(self) -> np.ndarray:
        """Return the shard and the offset of each sample: int64 (n, 2)."""
        return np.stack([self.shard_of.astype(np.int64), self.offsets], axis=1)

    @property
    def keys(self) -> np.ndarray:
        """Hash the place of each sample: int64 (n,), equal for the same place in the same file."""
        files = np.array([hash((shard.path, shard.size, shard.modified)) for shard in self.shards], np.int64)
        return np.asarray(files[self.shard_of] ^ (self.offsets * np.int64(0x9E3779B97F4A7C1)))
