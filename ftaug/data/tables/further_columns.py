"""Columns of a table that a dataset does not use, such as camera or hospital, by which results are broken down."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ftaug.data.tables.cells import text
from ftaug.data.tables.rows import header, rows_with_gaps

LONGEST = 100
"""Number of characters up to which a cell is a value to group by, and not a text."""


@dataclass(frozen=True)
class FurtherColumns:
    """Columns of a table that a dataset does not use, read when they are asked for."""

    reader: str  # name of the dataset in errors
    path: Path
    used: tuple[str, ...]  # columns that the dataset uses
    lines: np.ndarray  # line of each sample, int64 (n,), ascending

    def read(self) -> dict[str, list[str]]:
        """Read the columns by name, a value for each sample; without those with lists, structures or long texts."""
        counts = Counter(header(self.reader, self.path))
        names = [name for name, count in counts.items() if name and count == 1 and name not in self.used]
        columns: dict[str, list[str]] = {name: [] for name in names}
        lines = iter(self.lines.tolist())
        wanted = next(lines, None)
        for line, values in rows_with_gaps(self.reader, self.path, names):
            if line != wanted:
                continue
            wanted = next(lines, None)
            for name, value in zip(names, values, strict=True):
                if name not in columns:
                    continue
                if isinstance(value, list | tuple | dict | bytes) or len(cell := text(value)) > LONGEST:
                    del columns[name]
                else:
                    columns[name].append(cell)
        return columns
