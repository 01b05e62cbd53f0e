"""Pictures listed in a table with their labels."""

from __future__ import annotations

import hashlib
import os
import stat
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.config.types import FilePath, Text
from ftaug.errors import BadData, ExperimentError, MissingInput, Problem, did_you_mean
from ftaug.image import dataset
from ftaug.image.datasets.index import FileSamples, Packed
from ftaug.image.datasets.table_numbers import Numbers
from ftaug.image.datasets.table_rows import at, rows
from ftaug.interfaces import Task

_SPLITS = {"training": "train", "valid": "val", "validation": "val", "dev": "val", "testing": "test"}
_TRUTHS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}
_PROBLEMS_SHOWN = 5


@dataset.register
def image_table(
    split: str,
    *,
    path: FilePath,
    image: Text = "path",
    label: Text | tuple[Text, ...] | None = None,
    target: Text | tuple[Text, ...] | None = None,
    labels_separator: Text | None = None,
    group: Text | None = None,
    classes: tuple[Text, ...] | None = None,
    split_column: Text | None = None,
    root: FilePath | None = None,
) -> FileSamples:
    """Pictures listed with their labels in a table: CSV, TSV, JSON Lines or Parquet.

    Settings:
        path: the table; its ending says what it is: .csv, .tsv, .jsonl or .parquet
        image: the column with the picture's path
        label: the column with the class, or a list of columns of 0 and 1, one for each class of a multi-label task; the
            column `label` unless set
        target: in place of label, for regression: the column with the number to be told, or a list of such columns
        labels_separator: what separates the classes in the label column of a multi-label task, such as "|"
        group: a column; pictures with the same value there never part when a split is taken
        classes: the classes in their order; otherwise those in the table, in the order of their bytes
        split_column: a column with train, val or test; only the rows of the split are used
        root: the folder that the pictures' paths start from; otherwise the table's own folder

    A label that is a list (JSON Lines, Parquet) makes the task multi-label too. Paths may not leave the root.
    Reads the encoded bytes.
    """
    settings = {"label": label, "labels_separator": labels_separator, "classes": classes}
    numbers = Numbers.of("image_table", target, settings)
    label = label or "label"
    if not isinstance(label, str) and (classes is not None or labels_separator is not None):
        raise ExperimentError("image_table: with a list of columns for label, leave out classes and labels_separator")
    label_columns = numbers.columns if numbers else (label,) if isinstance(label, str) else label
    extra_columns = [column for column in (group, split_column) if column is not None]
    found = _Found(path, root or path.parent)
    labels = _Labels(classes, labels_separator, None if isinstance(label, str) else label)
    splits_seen: Counter[str] = Counter()
    for line, values in rows(path, [image, *label_columns, *extra_columns]):
        with found.collecting(line):
            told = values[1 : 1 + len(label_columns)]
            codes, figures = ([], numbers.read(told)) if numbers else (labels.codes(told), [])
            its_split = _split_name(values[-1]) if split_column is not None else split
            splits_seen[its_split] += 1
            if its_split == split:
                found.add(values[0], codes, str(values[1 + len(label_columns)]) if group is not None else None)
                found.figures.extend(figures)
    found.check(split, splits_seen)
    if numbers:
        return _with_numbers(found, numbers, grouped=group is not None)
    return _samples(found, labels, grouped=group is not None)


class _Labels:
    """From what a row says to class indices; collects the classes unless they are given."""

    def __init__(self, given: Sequence[str] | None, separator: str | None, columns: Sequence[str] | None) -> None:
        self.given, self.separator, self.columns = given, separator, columns
        self.multi_label = separator is not None or columns is not None
        self.index = {name: position for position, name in enumerate(columns or given or ())}

    def codes(self, values: Sequence[Any]) -> list[int]:
        """The classes of a row, by the order in which they were met."""
        if self.columns is not None:
            return [code for code, value in enumerate(values) if _truth(self.columns[code], value)]
        value = values[0]
        if isinstance(value, list):
            self.multi_label = True
            return [self._code(_text(item)) for item in value]
        if self.separator is not None:
            return [self._code(part.strip()) for part in _text(value).split(self.separator) if part.strip()]
        return [self._code(_text(value))]

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

    def order(self) -> tuple[tuple[str, ...], np.ndarray]:
        """The classes in their final order, and the final index of each by the order in which they were met."""
        names = list(self.index)
        if self.given is None and self.columns is None:
            names.sort(key=str.encode)
        rank = {name: position for position, name in enumerate(names)}
        return tuple(names), np.array([rank[name] for name in self.index], np.int64)


@dataclass
class _Found:
    """The rows of a table that belong to the split, and what is wrong with others."""

    file: Path
    root: Path
    buffer: bytearray = field(default_factory=bytearray)
    ends: array[int] = field(default_factory=lambda: array("q"))
    owners: array[int] = field(default_factory=lambda: array("q"))  # with codes: one pair for each label of a picture
    codes: array[int] = field(default_factory=lambda: array("q"))
    figures: array[float] = field(default_factory=lambda: array("f"))  # the numbers of each picture, in regression
    groups: array[int] = field(default_factory=lambda: array("q"))
    group_ids: dict[str, int] = field(default_factory=dict)
    bad: list[Problem] = field(default_factory=list)
    missing: list[Problem] = field(default_factory=list)
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    @contextmanager
    def collecting(self, line: int) -> Iterator[None]:
        """Note what is wrong with a line and go on, up to a handful of problems."""
        try:
            yield
        except MissingInput as error:
            self.missing += [at(self.file, line, problem.message) for problem in error.problems]
        except BadData as error:
            self.bad += [at(self.file, line, problem.message) for problem in error.problems]
        if max(len(self.bad), len(self.missing)) >= _PROBLEMS_SHOWN:
            self.fail()

    def fail(self) -> None:
        """Raise what was noted."""
        if self.bad:
            raise BadData(*self.bad)
        if self.missing:
            raise MissingInput(*self.missing)

    def add(self, image: Any, codes: Sequence[int], group: str | None) -> None:
        """Take a row in."""
        path = _inside(_text(image))
        size = _size(self.root, path)
        self.buffer += path
        self.owners.extend([len(self.ends)] * len(codes))
        self.codes.extend(codes)
        self.ends.append(len(self.buffer))
        if group is not None:
            self.groups.append(self.group_ids.setdefault(group, len(self.group_ids)))
        self.digest.update(b"%b\0%d\0" % (path, size))

    def check(self, split: str, splits_seen: Counter[str]) -> None:
        """Raise if there were problems, or no row of the split."""
        self.fail()
        if not self.ends:
            seen = ", ".join(f"'{name}' ({count})" for name, count in splits_seen.most_common(8))
            raise BadData(f"{self.file} has no rows for '{split}'" + (f"; there are {seen}" if seen else ""))


def _samples(found: _Found, labels: _Labels, *, grouped: bool) -> FileSamples:
    """Bring the classes into their order and pack everything."""
    classes, rank = labels.order()
    if len(classes) < 2 and not labels.multi_label:
        raise BadData(f"{found.file} has only one class, '{classes[0]}'; two or more are needed to tell apart")
    targets = rank[np.asarray(found.codes, np.int64)]
    if labels.multi_label:
        many_hot = np.zeros((len(found.ends), len(classes)), np.uint8)
        many_hot[np.asarray(found.owners, np.int64), targets] = 1
        targets = many_hot
    groups = np.array(found.groups, np.int64) if grouped else None
    for part in (targets, groups):
        found.digest.update(b"" if part is None else part.tobytes())
    found.digest.update("\0".join(classes).encode())
    return FileSamples(
        found.root,
        Packed(bytes(found.buffer), np.array(found.ends, np.int64)),
        targets,
        Task(classes, labels.multi_label),
        found.digest.hexdigest(),
        _notes(targets, classes),
        groups,
    )


def _with_numbers(found: _Found, numbers: Numbers, *, grouped: bool) -> FileSamples:
    """Pack everything, numbers in place of classes."""
    targets = np.array(found.figures, np.float32).reshape(-1, len(numbers.columns))
    groups = np.array(found.groups, np.int64) if grouped else None
    for part in (targets, groups):
        found.digest.update(b"" if part is None else part.tobytes())
    found.digest.update("\0".join(numbers.columns).encode())
    paths = Packed(bytes(found.buffer), np.array(found.ends, np.int64))
    return FileSamples(found.root, paths, targets, numbers.task, found.digest.hexdigest(), (), groups)


def _notes(targets: np.ndarray, classes: Sequence[str]) -> tuple[str, ...]:
    """What a person should know about the labels."""
    notes = []
    counts = np.bincount(targets, minlength=len(classes)) if targets.ndim == 1 else targets.sum(axis=0, dtype=np.int64)
    if empty := [f"'{classes[code]}'" for code in np.flatnonzero(counts == 0).tolist()]:
        notes.append(
            f"no picture of {', '.join(empty[:8])}" + (f" and {len(empty) - 8} more" if len(empty) > 8 else "")
        )
    if targets.ndim == 2 and (bare := int((~targets.any(axis=1)).sum())):
        notes.append(f"{bare:,} picture{'s' * (bare > 1)} without a label")
    return tuple(notes)


def _text(value: Any) -> str:
    """A cell as text: `3` and `true` as they are written in JSON, nothing as the empty text."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _truth(column: str, value: Any) -> bool:
    """A cell of a 0/1 column."""
    try:
        return _TRUTHS[_text(value).strip().lower().removesuffix(".0")]
    except KeyError:
        raise BadData(f"column '{column}' must hold 0 or 1; got '{value}'") from None


def _split_name(value: Any) -> str:
    """The name of a split as ftaug says it."""
    name = _text(value).strip().lower()
    return _SPLITS.get(name, name)


def _inside(text: str) -> bytes:
    """The path of a picture, in bytes; refuses one that leads out of the root."""
    if not text:
        raise BadData("the picture's path is empty")
    path = os.path.normpath(os.fsencode(text))
    if b"\0" in path or path.startswith(b"/") or path.split(b"/")[0] == b"..":
        raise BadData(
            f"the picture's path '{text}' leads out of the folder; set root to a folder that holds all pictures"
        )
    return path


def _size(root: Path, path: bytes) -> int:
    """The size of a picture's file."""
    try:
        status = os.stat(os.fsencode(root) + b"/" + path)  # noqa: PTH116 - a Path for each of a million rows is slow
    except OSError as error:
        raise MissingInput(f"no picture {os.fsdecode(path)} in {root}: {error.strerror}") from None
    if not stat.S_ISREG(status.st_mode):
        raise BadData(f"{os.fsdecode(path)} is not a file")
    return status.st_size
