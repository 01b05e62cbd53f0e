"""Read the samples of a split from a table: targets, groups, notes, and problems by line."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.data.tables import cells, delimited
from ftaug.data.tables.further_columns import FurtherColumns
from ftaug.data.tables.identities import Identities
from ftaug.data.tables.rows import JSON_LINES, at, header, rows
from ftaug.data.tables.targets import Targets
from ftaug.errors import BadData, FtaugError, MissingInput, Problem, combined
from ftaug.interfaces.data import SplitRows, Task

PROBLEMS_SHOWN = 5

Take = Callable[[int, Sequence[Any]], bool]
"""Add a sample, given line number and cells; return whether it was taken. Raises BadData, MissingInput."""

Key = Callable[[Sequence[Any]], Hashable]
"""Return the identity of a sample from its cells, equal for rows of the same sample; raises BadData."""


@dataclass
class Faults:
    """Problems of table lines: the first few are shown, the rest counted."""

    file: Path
    bad: list[Problem] = field(default_factory=list)
    missing: list[Problem] = field(default_factory=list)

    @contextmanager
    def collecting(self, line: int) -> Iterator[None]:
        """Collect the errors raised for a line and continue."""
        try:
            yield
        except MissingInput as error:
            self.missing += [at(self.file, line, problem.message) for problem in error.problems]
        except BadData as error:
            self.bad += [at(self.file, line, problem.message) for problem in error.problems]

    def check(self) -> None:
        """Raise the collected problems, BadData and MissingInput combined."""
        errors: list[FtaugError] = []
        for kind, noted in ((BadData, self.bad), (MissingInput, self.missing)):
            if noted:
                rest = len(noted) - PROBLEMS_SHOWN
                more = [Problem(f"{self.file}: {rest:,} more problems like these")] if rest > 0 else []
                errors.append(kind(*noted[:PROBLEMS_SHOWN], *more))
        if errors:
            raise combined(errors)


@dataclass(frozen=True)
class Table:
    """Input, target, group and split columns that a dataset reads from a table."""

    reader: str  # name of the dataset in errors
    noun: str  # word for a sample
    path: Path
    columns: tuple[str, ...]  # input columns of a sample
    key: Key
    targets: Targets
    group: str | None = None
    split_column: str | None = None
    differing: float = 0.0  # tolerated share of samples that occur with different labels


@dataclass(frozen=True)
class Gathered:
    """Targets, groups, notes and further columns of the samples of a split, in row order."""

    targets: np.ndarray
    task: Task
    groups: np.ndarray | None
    notes: tuple[str, ...]
    split_rows: SplitRows | None
    further_columns: FurtherColumns
    soft_targets: np.ndarray | None

    def update(self, digest: hashlib._Hash) -> None:
        """Add targets, groups and classes to a digest of the samples."""
        for array in (self.targets, self.groups, self.soft_targets):
            digest.update(b"" if array is None else array.tobytes())
        digest.update("\0".join(self.task.classes).encode())


def gather(table: Table, split: str, take: Take, faults: Faults) -> Gathered:
    """Read the table and pass the rows of the split to `take`; raises BadData and MissingInput with line numbers."""
    targets = table.targets
    unset = _unset_split_column(table)
    extra = [column for column in (table.group, table.split_column or unset) if column is not None]
    inputs_end, targets_end = len(table.columns), len(table.columns) + len(targets.columns)
    identities = Identities(table.path, table.noun, table.group)
    splits_seen: Counter[str] = Counter()
    splits_unset: Counter[str] = Counter()
    for line, values in rows(table.reader, table.path, [*table.columns, *targets.columns, *extra]):
        with faults.collecting(line):
            target = targets.read(values[inputs_end:targets_end])
            row_split = cells.split_name(values[-1]) if table.split_column is not None else split
            splits_seen[row_split] += 1
            splits_unset.update([cells.split_name(values[-1])] if unset is not None else [])
            group = cells.group(table.group, values[targets_end]) if table.group is not None else None
            if row_split != split:
                identities.add_elsewhere(row_split, group)
                continue
            key = hash(table.key(values[:inputs_end]))
            if targets.joins_rows and key in identities.samples:
                targets.join(identities.samples[key], target)
                identities.join(line, key, group)
            elif take(line, values[:inputs_end]):
                targets.add(target)
                identities.add(line, key, group)
    faults.check()
    if not splits_seen[split]:
        seen = ", ".join(f"'{name}' ({count})" for name, count in splits_seen.most_common(8))
        raise BadData(f"{table.path} has no rows for '{split}'" + (f"; there are {seen}" if seen else ""))
    target_array, task = targets.finished(table.path)
    split_rows = SplitRows(str(table.path), table.split_column, splits_seen) if table.split_column is not None else None
    notes = (
        *delimited.note(table.path),
        *_unset_note(unset, splits_unset),
        *identities.check_labels(target_array, task, table.differing),
        *identities.notes(split),
    )
    used = (*table.columns, *targets.columns, *([table.split_column] if table.split_column is not None else []))
    further = FurtherColumns(table.reader, table.path, used, np.array(identities.lines, np.int64))
    return Gathered(target_array, task, identities.groups(), notes, split_rows, further, targets.soft_targets)


def _unset_split_column(table: Table) -> str | None:
    """Return the only unused column named split; None otherwise."""
    if table.split_column is not None or table.path.suffix.lower() in JSON_LINES:  # lines may lack the key
        return None
    used = {*table.columns, *table.targets.columns, table.group}
    unused = [name for name in header(table.reader, table.path) if name.lower() == "split" and name not in used]
    return unused[0] if len(unused) == 1 else None


def _unset_note(column: str | None, counts: Counter[str]) -> tuple[str, ...]:
    known = [f"'{name}' ({counts[name]:,})" for name in ("train", "val", "test") if counts[name]]
    if column is None or len(known) < 2:
        return ()
    note = f"column '{column}' holds {', '.join(known)}, and all rows are used"
    return (f"{note}; set split_column: {column} to use those of one split",)
