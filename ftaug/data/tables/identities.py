"""Duplicate rows of a table, and groups of samples."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ftaug.data import names, split_groups
from ftaug.data.tables.rows import at
from ftaug.errors import BadData
from ftaug.interfaces.data import Task

_BEFORE = {"train": (), "val": ("train",), "test": ("train", "val")}
"""Earlier splits, which should share no group with each split."""


@dataclass
class Identities:
    """Identity and group of the sample in each row of a split; rows of the same sample may be joined."""

    path: Path
    noun: str  # word for a sample
    group_column: str | None = None
    first: array[int] = field(
        default_factory=lambda: array("q")
    )  # per row: index of the first sample with the same key
    group_of_row: array[int] = field(default_factory=lambda: array("q"))
    rows: array[int] = field(default_factory=lambda: array("q"))  # per sample: its row
    lines: array[int] = field(default_factory=lambda: array("q"))  # per sample: its line
    samples: dict[int, int] = field(default_factory=dict)  # first sample index by key
    group_ids: dict[str, int] = field(default_factory=dict)  # group id by folded name
    spellings: dict[str, dict[str, None]] = field(default_factory=dict)  # spellings of each folded name, in order
    missing: list[int] = field(default_factory=list)  # lines without a group
    groups_of_split: defaultdict[str, set[str]] = field(
        default_factory=lambda: defaultdict(set)
    )  # folded groups of other splits

    def add(self, line: int, key: int, group: str | None) -> None:
        """Add the row of a new sample."""
        self.samples.setdefault(key, len(self.lines))
        self.rows.append(len(self.first))
        self.lines.append(line)
        self.join(line, key, group)

    def join(self, line: int, key: int, group: str | None) -> None:
        """Add a further row of an existing sample."""
        self.first.append(self.samples[key])
        if self.group_column is None:
            return
        if group is None:
            self.missing.append(line)
            self.group_of_row.append(-len(self.missing))
            return
        folded = names.folded(group)
        self.spellings.setdefault(folded, {}).setdefault(group)
        self.group_of_row.append(self.group_ids.setdefault(folded, len(self.group_ids)))

    def add_elsewhere(self, split: str, group: str | None) -> None:
        """Record the group of a row of another split."""
        if group is not None:
            self.groups_of_split[split].add(names.folded(group))

    def groups(self) -> np.ndarray | None:
        """Return group ids for group-aware splits, int64 (samples,); None if every sample is its own group."""
        if self.group_column is None:
            return split_groups.joined(split_groups.equal(self.first[row] for row in self.rows))
        groups = split_groups.joined(np.array(self.first, np.int64), np.array(self.group_of_row, np.int64))
        return None if groups is None else groups[np.array(self.rows, np.int64)]

    def check_labels(self, targets: np.ndarray, task: Task, allowed: float) -> tuple[str, ...]:
        """Check duplicate samples with different labels: return a note; raises BadData above the `allowed` share."""
        if task.regression or len(self.samples) == len(self.lines):
            return ()
        first = np.array(self.first, np.int64)[np.array(self.rows, np.int64)]
        differs = targets != targets[first]
        rows = np.flatnonzero(differs if differs.ndim == 1 else differs.any(axis=1))
        if not len(rows):
            return ()
        count = len(np.unique(first[rows]))
        line, earlier = self.lines[rows[0]], self.lines[first[rows[0]]]
        labels = [_labels(targets[place], task) for place in (first[rows[0]], rows[0])]
        text = (
            f"{self._counted(count)} in several rows with different labels, such as "
            f"line {earlier} ({labels[0]}) and line {line} ({labels[1]})"
        )
        if count <= allowed * len(self.samples):
            return (f"{text}; a split keeps their rows together",)
        remedy = "write all labels of a sample into one row, or keep the right row"
        if not task.multi_label:
            remedy = 'for one row per label set labels_separator: "|", which joins the rows; else keep the right row'
        raise BadData(at(self.path, line, f"{text}; {remedy}"))

    def notes(self, split: str) -> Iterator[str]:
        """Yield notes on duplicate samples and on groups."""
        joined, repeated = len(self.first) - len(self.lines), len(self.lines) - len(self.samples)
        if joined:
            yield f"{joined:,} more row{'s' * (joined > 1)} of the same {self.noun}s joined: each has the labels of all"
        if repeated:
            count = len(np.flatnonzero(np.bincount(np.array(self.first, np.int64)) > 1))
            yield f"{self._counted(count)} in several rows; a split keeps these on one side"
        if self.missing:
            count = len(self.missing)
            yield (
                f"{count:,} row{'s' * (count > 1)} without a value in '{self.group_column}' (first: line "
                f"{self.missing[0]}): each is its own group"
            )
        if twins := [" = ".join(f"'{name}'" for name in names) for names in self.spellings.values() if len(names) > 1]:
            more = f" and {len(twins) - 5} more" if len(twins) > 5 else ""
            yield f"groups that differ only in case, spacing or a trailing .0 are one: {', '.join(twins[:5])}{more}"
        for other in _BEFORE.get(split, ()):
            if shared := self.groups_of_split[other] & self.spellings.keys():
                name = next(iter(self.spellings[min(shared)]))
                yield f"{len(shared):,} of the groups {'is' if len(shared) == 1 else 'are'} also in '{other}': '{name}'"

    def _counted(self, count: int) -> str:
        return f"1 {self.noun} is" if count == 1 else f"{count:,} {self.noun}s are"


def _labels(target: np.ndarray, task: Task) -> str:
    labels = [task.classes[code] for code in (np.flatnonzero(target) if task.multi_label else [target])]
    return ", ".join(f"'{label}'" for label in labels) or "none"
