"""Targets of table rows: class labels, multi-hot columns, or numbers."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ftaug.data import names
from ftaug.data.tables import cells
from ftaug.errors import BadData, ExperimentError, did_you_mean
from ftaug.interfaces.data import Task

Columns = str | Sequence[str]


class Targets(Protocol):
    """Collector of targets, row by row."""

    columns: tuple[str, ...]
    joins_rows: bool  # whether rows of the same sample are merged into one with all labels

    @property
    def soft_targets(self) -> np.ndarray | None:
        """The shares of the classes, float32 (n, classes), if the rows have such; None if not."""

    def read(self, values: Sequence[Any]) -> Sequence[Any]:
        """Parse the target of a row; raises BadData. Also called for rows of other splits, to collect classes."""

    def add(self, target: Sequence[Any]) -> None:
        """Append a target that `read` returned as that of the next sample."""

    def join(self, position: int, target: Sequence[Any]) -> None:
        """Merge a target that `read` returned into that of an earlier sample; only if `joins_rows`."""

    def finished(self, path: Path | str) -> tuple[np.ndarray, Task]:
        """Return the targets of all samples and the task; raises BadData for unusable labels."""

    def notes(self, noun: str) -> tuple[str, ...]:
        """Return notes for the user; `noun` is the word for a sample."""


def targets(
    reader: str,
    *,
    label: Columns | None,
    target: Columns | None = None,
    classes: Sequence[str] | None = None,
    separator: str | None = None,
) -> Targets:
    """Create the collector for a dataset's settings; raises ExperimentError for conflicting settings."""
    if target is not None:
        for name, value in {"label": label, "classes": classes, "labels_separator": separator}.items():
            if value is not None:
                raise ExperimentError(f"{reader}: target is for numbers, {name} for classes; leave one out")
        columns = (target,) if isinstance(target, str) else tuple(target)
        if not columns or len(set(columns)) < len(columns):
            raise ExperimentError(f"{reader}: target must be a column, or a list of different ones")
        return Numbers(columns)
    if label is None or isinstance(label, str):
        class_names = None if classes is None else tuple(map(names.normalized, classes))
        if class_names is not None and len(set(class_names)) < len(class_names):
            raise ExperimentError(f"{reader}: classes names '{max(class_names, key=class_names.count)}' twice")
        return Labels(label or "label", class_names, separator)
    if classes is not None or separator is not None:
        raise ExperimentError(f"{reader}: with a list of columns for label, leave out classes and labels_separator")
    if not label or len(set(map(names.normalized, label))) < len(label):
        raise ExperimentError(f"{reader}: label must be a column, or a list of different ones")
    return Marks(tuple(label))


class _ManyHot:
    """Sparse multi-label targets: a (sample, class) pair per label."""

    joins_rows = False
    soft_targets = None

    def __init__(self) -> None:
        self.samples = 0
        self.owners: array[int] = array("q")
        self.codes: array[int] = array("q")
        self.counts = np.zeros(0, np.int64)
        self.bare = 0

    def add(self, codes: Sequence[int]) -> None:
        """Append the classes of the next sample."""
        self.owners.extend([self.samples] * len(codes))
        self.codes.extend(codes)
        self.samples += 1

    def join(self, position: int, codes: Sequence[int]) -> None:
        """Add the classes of a further row of an earlier sample."""
        self.owners.extend([position] * len(codes))
        self.codes.extend(codes)

    def many_hot(self, codes: np.ndarray, classes: int) -> np.ndarray:
        """Return multi-hot targets, uint8 (n, classes)."""
        result = np.zeros((self.samples, classes), np.uint8)
        result[np.asarray(self.owners, np.int64), codes] = 1
        self.counts = result.sum(axis=0, dtype=np.int64)
        self.bare = int((~result.any(axis=1)).sum())
        return result

    def _notes(self, noun: str, classes: Sequence[str]) -> tuple[str, ...]:
        notes = []
        if empty := [f"'{classes[code]}'" for code in np.flatnonzero(self.counts == 0).tolist()]:
            more = f" and {len(empty) - 8} more" if len(empty) > 8 else ""
            notes.append(f"no {noun} of {', '.join(empty[:8])}{more}")
        if self.bare:
            notes.append(f"{self.bare:,} {noun}{'s' * (self.bare > 1)} without a label")
        return tuple(notes)


class Marks(_ManyHot):
    """Multi-label targets from a 0/1 column per class."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        super().__init__()
        self.columns = columns

    def read(self, values: Sequence[Any]) -> list[int]:
        """Return the indices of columns with 1."""
        return [code for code, value in enumerate(values) if cells.truth(self.columns[code], value)]

    def finished(self, path: Path | str) -> tuple[np.ndarray, Task]:
        """Return multi-hot targets, uint8 (n, classes), and the task."""
        classes = tuple(map(names.normalized, self.columns))
        return self.many_hot(np.asarray(self.codes, np.int64), len(classes)), Task(classes, True)

    def notes(self, noun: str) -> tuple[str, ...]:
        """Classes without a sample, and samples without a class."""
        return self._notes(noun, self.columns)


class Labels(_ManyHot):
    """Targets from a label column, single-label or multi-label; classes are collected unless specified."""

    def __init__(self, column: str, class_names: Sequence[str] | None, separator: str | None) -> None:
        super().__init__()
        self.columns: tuple[str, ...] = (column,)
        self.class_names, self.separator = class_names, separator
        self.multi_label = self.joins_rows = separator is not None
        self.index = {name: position for position, name in enumerate(class_names or ())}
        self.rows_of_class: Counter[int] = Counter()
        self.lengths: set[int] = set()  # lengths of 0/1 lists; 0 stands for other lists

    def read(self, values: Sequence[Any]) -> list[int]:
        """Return the class codes of a row, numbered by first occurrence."""
        codes = self._codes(values[0])
        self.rows_of_class.update(codes)
        return codes

    def _codes(self, value: Any) -> list[int]:
        if isinstance(value, list):
            self.multi_label = True
            return self._codes_of_list(value)
        label = cells.label_name(self.columns[0], value, self.index)
        if self.separator is not None:
            return [self._code(name) for part in label.split(self.separator) if (name := names.normalized(part))]
        return [self._code(label)]

    def _codes_of_list(self, items: list[Any]) -> list[int]:
        marks = cells.marks(items)
        if marks and len(items) == len(self.class_names or ()) and not {"0", "1"} <= self.index.keys():
            return [code for code, item in enumerate(items) if item]
        self.lengths.add(len(items) if marks else 0)
        if shares := [item for item in items if isinstance(item, float) and not item.is_integer()]:
            raise BadData(f"column '{self.columns[0]}': a list of labels holds {shares[0]}; write names of classes")
        return [self._code(cells.label_name(self.columns[0], item, self.index)) for item in items]

    def _code(self, name: str) -> int:
        if (known := self.index.get(name)) is not None:
            return known
        if not name:
            raise BadData("the label is empty")
        if self.class_names is not None:
            raise BadData(f"'{name}' is not one of the classes{did_you_mean(name, self.class_names)}")
        try:
            name.encode()
        except UnicodeEncodeError:
            raise BadData(f"the label {name!r} is not UTF-8; save the table as UTF-8") from None
        return self.index.setdefault(name, len(self.index))

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in final order: as specified, or sorted by `names.ordered`."""
        return tuple(self.index) if self.class_names is not None else tuple(names.ordered(self.index))

    def finished(self, path: Path | str) -> tuple[np.ndarray, Task]:
        """Return the targets, int64 (n,) or multi-hot uint8 (n, classes), and the task."""
        classes = self.classes
        self._check(path)
        rank = {name: position for position, name in enumerate(classes)}
        codes = np.array([rank[name] for name in self.index], np.int64)[np.asarray(self.codes, np.int64)]
        task = Task(classes, self.multi_label)
        if self.multi_label:
            return self.many_hot(codes, len(classes)), task
        self.counts = np.bincount(codes, minlength=len(classes))
        return codes, task

    def _check(self, path: Path | str) -> None:
        """Raise BadData for 0/1 lists without `classes`, and for labels that differ only in case or spacing."""
        if len(self.lengths) == 1 and max(self.lengths) > 1:
            count = max(self.lengths)
            raise BadData(
                f"{path}: the lists in column '{self.columns[0]}' hold {count} marks of 0 and 1, not names of classes; "
                f"set classes to the {count} names in the order of the marks, or write lists of names"
            )
        if self.class_names is None and (groups := names.twins(self.index)):
            examples = "; ".join(self._counted(group) for group in groups[:5])
            more = f" and {len(groups) - 5} more such classes" if len(groups) > 5 else ""
            raise BadData(
                f"{path}: labels that differ only in case, spacing or a trailing .0: {examples}{more}; "
                "write them alike, or list all classes under `classes` if they are different ones"
            )

    def _counted(self, labels: Sequence[str]) -> str:
        counts = [(label, self.rows_of_class[self.index[label]]) for label in labels]
        return ", ".join(f"'{label}' ({count:,} row{'s' * (count != 1)})" for label, count in counts)

    def notes(self, noun: str) -> tuple[str, ...]:
        """Classes without a sample, and samples without a class."""
        return self._notes(noun, self.classes)


class Numbers:
    """Regression targets from columns of numbers."""

    joins_rows = False
    soft_targets = None

    def __init__(self, columns: tuple[str, ...]) -> None:
        self.columns = columns
        self.values: array[float] = array("d")

    def read(self, values: Sequence[Any]) -> list[float]:
        """Parse the numbers of a row."""
        return [cells.number(column, value) for column, value in zip(self.columns, values, strict=True)]

    def add(self, values: Sequence[float]) -> None:
        """Append the numbers of the next sample."""
        self.values.extend(values)

    def join(self, position: int, values: Sequence[float]) -> None:
        """Raise NotImplementedError: rows with numbers are not merged."""
        raise NotImplementedError

    def finished(self, path: Path | str) -> tuple[np.ndarray, Task]:
        """Return the targets, float64 (n, numbers), and the task."""
        return np.array(self.values, np.float64).reshape(-1, len(self.columns)), Task(self.columns, regression=True)

    def notes(self, noun: str) -> tuple[str, ...]:
        """Return no notes."""
        return ()
