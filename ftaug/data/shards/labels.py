"""Labels of samples in shards: class folders, .cls and .json files, or columns."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.config.wording import listed
from ftaug.data import names
from ftaug.data.packed import Packed
from ftaug.data.tables import cells
from ftaug.data.tables.targets import Targets
from ftaug.errors import BadData, Problem
from ftaug.interfaces.data import Task

_SHOWN = 5


@dataclass(frozen=True)
class Labeled:
    """The targets of samples, their task and groups."""

    targets: np.ndarray
    task: Task
    groups: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    folders: tuple[str, ...] | None = None  # the class folders that are a part of the names


@dataclass
class LabelReader:
    """Read labels sample by sample; numbers stand for the classes of a list where there is one."""

    collector: Targets
    classes: Sequence[str] | None = None
    group_column: str | None = None
    kinds: dict[str, str] = field(default_factory=dict)  # the first sample with each kind of label
    group_ids: dict[str, int] = field(default_factory=dict)
    groups: array[int] = field(default_factory=lambda: array("q"))
    problems: list[Problem] = field(default_factory=list)

    @contextmanager
    def collecting(self, name: Callable[[], str]) -> Iterator[None]:
        """Collect the BadData raised for a sample and continue; raise them after a few."""
        try:
            yield
        except BadData as error:
            self.problems.append(Problem(f"{name()}: {error}"))
            if len(self.problems) > _SHOWN:
                self.check()

    def add(self, name: Callable[[], str], values: Sequence[Any], group: Any = None) -> None:
        """Add the label of the next sample, whose name is for errors, and its group; raises BadData."""
        if self.classes is not None:
            values = [self._named(value) for value in values]
        self._check_kind(name, values[0])
        self.collector.add(self.collector.read(values))
        if self.group_column is not None:
            self._add_group(cells.group(self.group_column, group))

    def _named(self, value: Any) -> Any:
        """Return the class that a number stands for; raises BadData for one beyond the classes."""
        if isinstance(value, list):
            if cells.marks(value) and len(value) == len(self.classes or ()):
                return value
            return [self._named(item) for item in value]
        number = _as_number(value)
        if number is None or str(number) in (self.classes or ()):
            return value
        count = len(self.classes or ())
        if number == -1:
            raise BadData("the label is -1, which stands for none")
        if not 0 <= number < count:
            raise BadData(f"the label {number} is beyond the {count} classes, 0 to {count - 1}")
        return (self.classes or ())[number]

    def _check_kind(self, name: Callable[[], str], value: Any) -> None:
        """Raise BadData for labels of another type than those before."""
        if value is None:
            return
        kind = "a list" if isinstance(value, list) else "a number" if isinstance(value, int | float) else "a text"
        self.kinds.setdefault(kind, name() if kind not in self.kinds else "")
        if len(self.kinds) > 1:
            other = next(each for each in self.kinds if each != kind)
            raise BadData(f"the label is {kind}, and that of {self.kinds[other]} is {other}")

    def _add_group(self, group: str | None) -> None:
        key = f"\0{len(self.groups)}" if group is None else names.folded(group)
        self.groups.append(self.group_ids.setdefault(key, len(self.group_ids)))

    def check(self) -> None:
        """Raise the problems as BadData."""
        if self.problems:
            more = len(self.problems) > _SHOWN
            raise BadData(*self.problems[:_SHOWN], *(["and more labels like these"] if more else []))

    def finish(self, path: Path | str, noun: str) -> Labeled:
        """Return the targets of all samples; raises BadData."""
        self.check()
        targets, task = self.collector.finished(path)
        groups = None if self.group_column is None else np.asarray(self.groups, np.int64)
        return Labeled(targets, task, groups, tuple(self.collector.notes(noun)))


def _as_number(value: Any) -> int | None:
    if isinstance(value, str) and value.lstrip("-").isdecimal():
        return int(value)
    return int(value) if isinstance(value, int | float) and value == int(value) else None


def labels_of_folders(path: Path | str, sample_names: Packed) -> Labeled:
    """Return the class of each sample, the first folder in its name; raises BadData for ambiguous class names."""
    codes: dict[bytes, int] = {}
    targets = np.empty(len(sample_names), np.int64)
    for position in range(len(sample_names)):
        folder = sample_names[position].partition(b"/")[0]
        targets[position] = codes.setdefault(folder, len(codes))
    folders = [os.fsdecode(folder) for folder in codes]
    _check_folders(path, folders, sample_names)
    class_names = [names.normalized(folder) for folder in folders]
    classes = names.ordered(class_names)
    places = np.array([*map(classes.index, class_names)], np.int64)
    return Labeled(places[targets], Task(tuple(classes)), folders=tuple(folders))


def _check_folders(path: Path | str, folders: Sequence[str], sample_names: Packed) -> None:
    """Raise BadData for folders that are not one per class."""
    quoted = [f"'{folder}'" for folder in folders]
    inner = {sample_names[i].split(b"/")[1] for i in range(len(sample_names)) if sample_names[i].count(b"/") > 1}
    inside = [f"'{os.fsdecode(name)}'" for name in sorted(inner)]
    if len(folders) == 1 and len(inside) > 1:
        root = f"root: {folders[0]}"
        raise BadData(f"{path}: all are in the folder {quoted[0]}, which holds {listed(inside, 5)}: set {root}")
    if all(map(names.is_split, folders)):
        raise BadData(f"{path} holds the splits {', '.join(quoted)}, not classes: set root: {folders[0]}")
    if twins := [name for group in names.twins(folders) for name in group]:
        shown = listed([f"'{name}'" for name in twins], 20)
        raise BadData(f"{path} has classes whose names differ only in case, spacing or encoding: {shown}; rename one")


def fingerprint(sample_names: Packed, sizes: np.ndarray, labeled: Labeled) -> str:
    """Return the digest of samples: that of a folder or table with the same names, sizes and labels."""
    digest = sha256()
    for position, size in enumerate(sizes.tolist()):
        digest.update(b"%b\0%d\0" % (sample_names[position], size))
    groups = b"" if labeled.groups is None else labeled.groups.tobytes()
    if labeled.folders is not None:
        digest.update(b"".join(folder + b"\0" for folder in sorted(map(os.fsencode, labeled.folders))) + groups)
    else:
        digest.update(labeled.targets.tobytes() + groups + "\0".join(labeled.task.classes).encode())
    return digest.hexdigest()
