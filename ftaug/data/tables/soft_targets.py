"""Soft targets of table rows: a column for each class with its share of the sample, such as predicted probabilities."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.data import names
from ftaug.data.tables import cells
from ftaug.data.tables.rows import header
from ftaug.errors import BadData, ExperimentError
from ftaug.interfaces.data import Task

PREFIX = "probability_"
"""Prefix of the columns; the rest of a column's name is that of its class."""

TOLERANCE = 0.01
"""Largest difference from 1 of the sum of a sample's shares, which rounding explains; they are scaled to sum to 1."""


def check_settings(reader: str, others: Mapping[str, Any]) -> None:
    """Raise ExperimentError if settings of other targets are set beside `soft`."""
    for name, value in others.items():
        if value is not None:
            raise ExperimentError(f"{reader}: soft reads the columns {PREFIX}…, and {name} others; leave one out")


class SoftTargets:
    """Targets from a column of shares per class; the class with the largest share is the label."""

    joins_rows = False

    def __init__(self, reader: str, path: Path) -> None:
        """Take the columns from the table's header; raises BadData, MissingInput."""
        self.columns = tuple(name for name in header(reader, path) if name.startswith(PREFIX))
        if len(self.columns) < 2:
            raise BadData(
                f"{path}: soft needs two or more columns {PREFIX}CLASS, such as `ftaug pseudo-label --soft` writes; "
                f"the table has {len(self.columns)}"
            )
        self.values: array[float] = array("d")

    @property
    def soft_targets(self) -> np.ndarray:
        """The shares of the classes, which sum to 1: float32 (n, classes)."""
        return np.array(self.values, np.float32).reshape(-1, len(self.columns))

    def read(self, values: Sequence[Any]) -> list[float]:
        """Parse the shares of a row; raises BadData for one below 0, and if they do not sum to 1."""
        shares = [cells.number(column, value) for column, value in zip(self.columns, values, strict=True)]
        for column, share in zip(self.columns, shares, strict=True):
            if share < 0:
                raise BadData(f"column '{column}' must contain numbers from 0 to 1; got {share:g}")
        total = sum(shares)
        if abs(total - 1) > TOLERANCE:
            raise BadData(f"the columns {PREFIX}… must sum to 1; got {total:g}")
        return [share / total for share in shares]

    def add(self, shares: Sequence[float]) -> None:
        """Append the shares of the next sample."""
        self.values.extend(shares)

    def join(self, position: int, shares: Sequence[float]) -> None:
        """Raise NotImplementedError: rows with shares are not merged."""
        raise NotImplementedError

    def finished(self, path: Path | str) -> tuple[np.ndarray, Task]:
        """Return the labels, int64 (n,), and the task."""
        classes = tuple(names.normalized(column.removeprefix(PREFIX)) for column in self.columns)
        return self.soft_targets.argmax(axis=1).astype(np.int64), Task(classes)

    def notes(self, noun: str) -> tuple[str, ...]:
        """Return no notes."""
        return ()
