"""From a table to the samples of a split: their targets, their groups, and what is wrong with which lines."""

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
from ftaug.data.tables.identities import Identities
from ftaug.data.tables.rows import JSON_LINES, at, header, rows
from ftaug.data.tables.targets import Targets
from ftaug.errors import BadData, FtaugError, MissingInput, Problem, combined
from ftaug.interfaces.data import SplitRows, Task

PROBLEMS_SHOWN = 5

Take = Callable[[int, Sequence[Any]], bool]
"""From the line and the cells of a sample to whether it is taken; raises BadData, MissingInput."""

Key = Callable[[Sequence[Any]], Hashable]
"""From the cells of a sample to what rows of the same sample have in common; raises BadData."""


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
        """Raise what was noted, of both kinds."""
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
    """What a dataset reads of a table."""

    reader: str  # the dataset, for errors
    noun: str  # what it calls a sample
    path: Path
    columns: tuple[str, ...]  # that make a sample
    key: Key
    targets: Targets
    group: str | None = None
    split_column: str | None = None
    differing: float = 0.0  # the share of samples that may be in several rows with different labels


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
    unset = _unset_split_column(table)
    extra = [column for column in (table.group, table.split_column or unset) if column is not None]
    samples, answers = len(table.columns), len(table.columns) + len(targets.columns)
    identities = Identities(table.path, table.noun, table.group)
    splits_seen: Counter[str] = Counter()
    splits_unset: Counter[str] = Counter()
    for line, values in rows(table.reader, table.path, [*table.columns, *targets.columns, *extra]):
        with faults.collecting(line):
            found = targets.read(values[samples:answers])
            its_split = cells.split_name(values[-1]) if table.split_column is not None else split
            splits_seen[its_split] += 1
            splits_unset.update([cells.split_name(values[-1])] if unset is not None else [])
            group = cells.group(table.group, values[answers]) if table.group is not None else None
            if its_split != split:
                identities.add_elsewhere(its_split, group)
                continue
            key = hash(table.key(values[:samples]))
            if targets.joins_rows and key in identities.samples:
                targets.join(identities.samples[key], found)
                identities.join(line, key, group)
            elif take(line, values[:samples]):
                targets.add(found)
                identities.add(line, key, group)
    faults.check()
    if not splits_seen[split]:
        seen = ", ".join(f"'{name}' ({count})" for name, count in splits_seen.most_common(8))
        raise BadData(f"{table.path} has no rows for '{split}'" + (f"; there are {seen}" if seen else ""))
    made, task = targets.finished(table.path)
    split_rows = SplitRows(str(table.path), table.split_column, splits_seen) if table.split_column is not None else None
    notes = (
        *delimited.note(table.path),
        *_unset_note(unset, splits_unset),
        *identities.check_labels(made, task, table.differing),
        *identities.notes(split),
    )
    return Gathered(made, task, identities.groups(), notes, split_rows)


def _unset_split_column(table: Table) -> str | None:
    """A column called split that the dataset does not use."""
    if table.split_column is not None or table.path.suffix.lower() in JSON_LINES:  # whose lines may lack it
        return None
    used = {*table.columns, *table.targets.columns, table.group}
    unused = [name for name in header(table.reader, table.path) if name.lower() == "split" and name not in used]
    return unused[0] if len(unused) == 1 else None


def _unset_note(column: str | None, counts: Counter[str]) -> tuple[str, ...]:
    known = [f"'{name}' ({counts[name]:,})" for name in ("train", "val", "test") if counts[name]]
    if column is None or len(known) < 2:
        return ()
    said = f"column '{column}' holds {', '.join(known)}, and all rows are used"
    return (f"{said}; set split_column: {column} to use those of one split",)
