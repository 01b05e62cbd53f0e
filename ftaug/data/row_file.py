"""Rows of bytes in a temporary file instead of memory."""

from __future__ import annotations

import os
import tempfile
from itertools import pairwise
from typing import IO

import numpy as np


class RowFile:
    """An array uint8 (rows, columns) in an anonymous temporary file; indexing reads rows into memory.

    A memory-mapped file would count as memory of the process as soon as it has been read.
    """

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="ftaug-rows-")  # noqa: SIM115 - open as long as the rows
        self._rows = np.empty(0, np.int64)
        self._written = 0

    def append(self, row: np.ndarray) -> None:
        """Write a row, uint8 (columns,); it can be read after `finish`."""
        self._file.write(row.tobytes())
        self._written += 1

    def finish(self) -> RowFile:
        """Complete the file, and return it."""
        self._file.flush()
        self._rows = np.arange(self._written)
        return self

    def take(self, rows: np.ndarray) -> RowFile:
        """Return a selection of the rows, in the same file."""
        selection = RowFile.__new__(RowFile)
        selection.columns, selection._file = self.columns, self._file
        selection._rows, selection._written = self._rows[rows], self._written
        return selection

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        numbers = self._rows[rows]
        result = np.empty((len(numbers), self.columns), np.uint8)
        starts = np.flatnonzero(np.diff(numbers, prepend=-2) != 1)  # rows that follow one another are read at once
        for start, end in pairwise([*starts.tolist(), len(numbers)]):
            os.preadv(self._file.fileno(), [result[start:end].data], int(numbers[start]) * self.columns)
        return result
