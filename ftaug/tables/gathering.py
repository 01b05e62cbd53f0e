"""From a table to the samples of a split: their targets, their groups, and what is wrong with which lines."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.errors import BadData, MissingInput, Problem
from ftaug.interfaces import SplitRows, Task
from ftaug.tables import cells, delimited
from ftaug.tables.rows import at, rows
from ftaug.tables.targets import Targets

PROBLEMS_SHOWN = 5

Take = Callable[[int, Sequence[Any]], bool]
"""From the line and the cells of a sample to whether it is taken; raises BadData, MissingInput."""


@dataclass
class Faults:
    """What is wrong with lines of a table: the first handful, and how many there are."""

    file: Path
    bad: list[Problem] = field(default_factory=list)
    missing: list[Problem] = field(default_factory=list)

    @contextmanager
    def collecting(self, line: int) -> Iterator[None]:
        """Note what is wrong with a line and go on."""
        try:
            yield
        except MissingInput as error:
            self.missing += [at(self.file, line, problem.message) for problem in error.problems]
        except BadData as error:
            self.bad += [at(self.file, line, problem.message) for problem in error.problems]

    def check(self) -> None:
        """Raise what was noted."""
        for kind, noted in ((BadData, self.bad), (MissingInput, self.missing)):
            if noted:
                rest = len(noted) - PROBLEMS_SHOWN
                more = [Problem(f"{self.file}: {rest:,} more problems like these")] if rest > 0 else []
                raise kind(*noted[:PROBLEMS_SHOWN], *more)


@dataclass(frozen=True)
class Table:
    """What a dataset reads of a table."""

    reader: str  # the dataset, for errors
    path: Path
    columns: tuple[str, ...]  # that make a sample
    targets: Targets
    group: str | None = None
    split_column: str | None = None


@dataclass(frozen=True)
class Gathered:
    """The samples of a split, in the order of their rows."""

    targets: np.ndarray
    task: Task
    groups: np.ndarray | None
    notes: tuple[str, ...]
    split_rows: SplitRows | None

    def update(self, digest: hashlib._Hash) -> None:
        """Add to a digest of the samples what the table says of them."""
        for part in (self.targets, self.groups):
            digest.update(b"" if part is None else part.tobytes())
        digest.update("\0".join(self.task.classes).encode())


def gather(table: Table, split: str, take: Take, faults: Faults) -> Gathered:
    """Read the table and hand the rows of the split to `take`; raises BadData and MissingInput with their lines."""
    targets = table.targets
    extra = [column for column in (table.group, table.split_column) if column is not None]
    samples, answers = len(table.columns), len(table.columns) + len(targets.columns)
    groups: array[int] = array("q")
    group_ids: dict[str, int] = {}
    splits_seen: Counter[str] = Counter()
    for line, values in rows(table.reader, table.path, [*table.columns, *targets.columns, *extra]):
        with faults.collecting(line):
            found = targets.read(values[samples:answers])
            its_split = cells.split_name(values[-1]) if table.split_column is not None else split
            splits_seen[its_split] += 1
            if its_split == split and take(line, values[:samples]):
                targets.add(found)
                if table.group is not None:
                    groups.append(group_ids.setdefault(str(values[answers]), len(group_ids)))
    faults.check()
    if not splits_seen[split]:
        seen = ", ".join(f"'{name}' ({count})" for name, count in splits_seen.most_common(8))
        raise BadData(f"{table.path} has no rows for '{split}'" + (f"; there are {seen}" if seen else ""))
    made, task = targets.finished(table.path)
    group_codes = np.array(groups, np.int64) if table.group is not None else None
    split_rows = SplitRows(str(table.path), table.split_column, splits_seen) if table.split_column is not None else None
    return Gathered(made, task, group_codes, delimited.note(table.path), split_rows)
