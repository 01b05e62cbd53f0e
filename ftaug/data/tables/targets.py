"""What the columns of labels, or of numbers, make of each sample's row."""

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
    """The targets of samples, row by row."""

    columns: tuple[str, ...]
    joins_rows: bool  # whether rows of the same sample are one sample with the labels of all

    def read(self, values: Sequence[Any]) -> Sequence[Any]:
        """What the columns of a row say; raises BadData. Rows of other splits are read too."""

    def add(self, found: Sequence[Any]) -> None:
        """Take what was read of a row as the target of the next sample."""

    def join(self, position: int, found: Sequence[Any]) -> None:
        """Add what was read of a row to the target of an earlier sample; only where `joins_rows`."""

    def finished(self, path: Path) -> tuple[np.ndarray, Task]:
        """The targets of all samples; raises BadData where nothing can be learnt from them."""

    def notes(self, noun: str) -> tuple[str, ...]:
        """What a person should know of them; the noun is what a sample is called."""


def targets(
    reader: str,
    *,
    label: Columns | None,
    target: Columns | None = None,
    classes: Sequence[str] | None = None,
    separator: str | None = None,
) -> Targets:
    """Labels or numbers, by a dataset's settings; raises ExperimentError for those that leave others without effect."""
    if target is not None:
        for name, value in {"label": label, "classes": classes, "labels_separator": separator}.items():
            if value is not None:
                raise ExperimentError(f"{reader}: target is for numbers and {name} for classes; leave one out")
        columns = (target,) if isinstance(target, str) else tuple(target)
        if not columns or len(set(columns)) < len(columns):
            raise ExperimentError(f"{reader}: target must be a column, or a list of different ones")
        return Numbers(columns)
    if label is None or isinstance(label, str):
        given = None if classes is None else tuple(map(names.normalized, classes))
        if given is not None and len(set(given)) < len(given):
            raise ExperimentError(f"{reader}: classes names '{max(given, key=given.count)}' twice")
        return Labels(label or "label", given, separator)
    if classes is not None or separator is not None:
        raise ExperimentError(f"{reader}: with a list of columns for label, leave out classes and labels_separator")
    if not label or len(set(map(names.normalized, label))) < len(label):
        raise ExperimentError(f"{reader}: label must be a column, or a list of different ones")
    return Marks(tuple(label))


class _ManyHot:
    """One pair (sample, class) for each label that a sample has."""

    joins_rows = False

    def __init__(self) -> None:
        self.samples = 0
        self.owners: array[int] = array("q")
        self.codes: array[int] = array("q")
        self.counts = np.zeros(0, np.int64)
        self.bare = 0

    def add(self, found: Sequence[int]) -> None:
        """Take the classes of the next sample."""
        self.owners.extend([self.samples] * len(found))
        self.codes.extend(found)
        self.samples += 1

    def join(self, position: int, found: Sequence[int]) -> None:
        """Add the classes of a further row of an earlier sample."""
        self.owners.extend([position] * len(found))
        self.codes.extend(found)

    def many_hot(self, codes: np.ndarray, classes: int) -> np.ndarray:
        """The classes of each sample: uint8 (n, classes)."""
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
    """A column of 0 and 1 for each class."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        super().__init__()
        self.columns = columns

    def read(self, values: Sequence[Any]) -> list[int]:
        """The classes whose columns hold 1."""
        return [code for code, value in enumerate(values) if cells.truth(self.columns[code], value)]

    def finished(self, path: Path) -> tuple[np.ndarray, Task]:
        """uint8 (n, classes)."""
        classes = tuple(map(names.normalized, self.columns))
        return self.many_hot(np.asarray(self.codes, np.int64), len(classes)), Task(classes, True)

    def notes(self, noun: str) -> tuple[str, ...]:
        """Classes without a sample, and samples without a class."""
        return self._notes(noun, self.columns)


class Labels(_ManyHot):
    """A column with the class, or with several; collects the classes unless they are given."""

    def __init__(self, column: str, given: Sequence[str] | None, separator: str | None) -> None:
        super().__init__()
        self.columns: tuple[str, ...] = (column,)
        self.given, self.separator = given, separator
        self.multi_label = self.joins_rows = separator is not None
        self.index = {name: position for position, name in enumerate(given or ())}
        self.rows_of_class: Counter[int] = Counter()
        self.lengths: set[int] = set()  # of lists of nothing but 0 and 1

    def read(self, values: Sequence[Any]) -> list[int]:
        """The classes of a row, by the order in which they were met."""
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
        if marks and len(items) == len(self.given or ()) and not {"0", "1"} <= self.index.keys():
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
        if self.given is not None:
            raise BadData(f"'{name}' is not one of the classes{did_you_mean(name, self.given)}")
        try:
            name.encode()
        except UnicodeEncodeError:
            raise BadData(f"the label {name!r} is not UTF-8; save the table as UTF-8") from None
        return self.index.setdefault(name, len(self.index))

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes in their final order: as given, or that of `names.ordered`."""
        return tuple(self.index) if self.given is not None else tuple(names.ordered(self.index))

    def finished(self, path: Path) -> tuple[np.ndarray, Task]:
        """int64 (n,), or uint8 (n, classes) where there are several labels a sample."""
        classes = self.classes
        self._check(path)
        rank = {name: position for position, name in enumerate(classes)}
        codes = np.array([rank[name] for name in self.index], np.int64)[np.asarray(self.codes, np.int64)]
        task = Task(classes, self.multi_label)
        if self.multi_label:
            return self.many_hot(codes, len(classes)), task
        self.counts = np.bincount(codes, minlength=len(classes))
        return codes, task

    def _check(self, path: Path) -> None:
        """Refuse labels that are marks of 0 and 1, or that differ from another only in case or spacing."""
        if len(self.lengths) == 1 and max(self.lengths) > 1:
            count = max(self.lengths)
            raise BadData(
                f"{path}: the lists in column '{self.columns[0]}' hold {count} marks of 0 and 1, not names of classes; "
                f"set classes to the {count} names in the order of the marks, or write lists of names"
            )
        if self.given is None and (groups := names.twins(self.index)):
            told = "; ".join(self._counted(group) for group in groups[:5])
            more = f" and {len(groups) - 5} more such classes" if len(groups) > 5 else ""
            raise BadData(
                f"{path}: labels that differ only in case, spacing or a trailing .0: {told}{more}; "
                "write them alike, or list all classes under `classes` if they are different ones"
            )

    def _counted(self, labels: Sequence[str]) -> str:
        counts = [(label, self.rows_of_class[self.index[label]]) for label in labels]
        return ", ".join(f"'{label}' ({count:,} row{'s' * (count != 1)})" for label, count in counts)

    def notes(self, noun: str) -> tuple[str, ...]:
        """Classes without a sample, and samples without a class."""
        return self._notes(noun, self.classes)


class Numbers:
    """Columns of numbers to predict."""

    joins_rows = False

    def __init__(self, columns: tuple[str, ...]) -> None:
        self.columns = columns
        self.values: array[float] = array("d")

    def read(self, values: Sequence[Any]) -> list[float]:
        """The numbers of a row."""
        return [cells.number(column, value) for column, value in zip(self.columns, values, strict=True)]

    def add(self, found: Sequence[float]) -> None:
        """Take the numbers of the next sample."""
        self.values.extend(found)

    def join(self, position: int, found: Sequence[float]) -> None:
        """Numbers of several rows are not joined."""
        raise NotImplementedError

    def finished(self, path: Path) -> tuple[np.ndarray, Task]:
        """float64 (n, numbers)."""
        return np.array(self.values, np.float64).reshape(-1, len(self.columns)), Task(self.columns, regression=True)

    def notes(self, noun: str) -> tuple[str, ...]:
        """Numbers that never vary."""
        return ()
