"""Labeled image files, indexed without a Python object per file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ftaug.data.folders.scan import Kind
from ftaug.data.packed import Packed
from ftaug.data.retries import read_with_retries
from ftaug.data.tables.further_columns import FurtherColumns
from ftaug.image.io.grayscale import ValueRange
from ftaug.interfaces.data import SplitRows, Task

if TYPE_CHECKING:
    from ftaug.image.io.picture import Picture

SUFFIXES = (b".jpg", b".jpeg", b".jfif", b".jpe", b".png", b".webp", b".bmp", b".tif", b".tiff", b".gif")
PICTURES = Kind("picture", SUFFIXES)


def scaled(fingerprint: str, value_range: ValueRange | None) -> str:
    """Return the fingerprint of images that are read with a value range."""
    return fingerprint if value_range is None else sha256(f"{fingerprint} {value_range}".encode()).hexdigest()


@dataclass(frozen=True)
class FileSamples:
    """Image files below a root folder, with their targets."""

    root: Path
    paths: Packed  # relative to the root
    targets: np.ndarray
    task: Task
    fingerprint: str
    notes: tuple[str, ...] = ()
    groups: np.ndarray | None = None
    split_rows: SplitRows | None = None
    keys: np.ndarray | None = None  # int64 (n,): equal for the same file
    value_range: ValueRange | None = None  # of gray pictures of more than 8 bits
    further_columns: FurtherColumns | None = None  # of the table that lists the samples
    soft_targets: np.ndarray | None = None  # float32 (n, classes)

    def __len__(self) -> int:
        return len(self.paths)

    def read(self, index: int) -> bytes | Picture:
        """Return the file's bytes, or a picture if the data set defines a value range."""
        data = self.content(index)
        if self.value_range is None:
            return data
        from ftaug.image.io.decode import opened

        return opened(data, self.value_range)

    def content(self, index: int) -> bytes:
        """Return the file's bytes; retry I/O errors of network file systems three times."""
        name = self.name(index)
        return read_with_retries(name, Path(name).read_bytes)

    def key(self, index: int) -> str:
        """Return the image's path relative to the root."""
        return os.fsdecode(self.paths[index])

    def columns(self) -> Mapping[str, Sequence[str]]:
        """Read the further columns of the table that lists the samples."""
        return {} if self.further_columns is None else self.further_columns.read()

    def name(self, index: int) -> str:
        """Name the image by its path."""
        return f"{self.root}/{os.fsdecode(self.paths[index])}"
