"""Write augmented samples to a folder, resumably: class folders or a table, with provenance and hashes."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, TextIO

from ftaug.config.strict_json import dumps
from ftaug.data import names
from ftaug.engine.loading.augmented_copies import Copy, Wanted
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.system.lock import Lock
from ftaug.engine.system.run_files import read_json
from ftaug.engine.system.storage import make_inside, open_inside, remove, replace, storage_errors
from ftaug.errors import ExperimentError, FtaugError, RunFolderTaken, as_storage_error
from ftaug.interfaces.data import Task

MANIFEST, TABLE, FILES = "augment.json", "provenance.csv", "files"
COLUMNS = ("label", "source", "sample", "copy", "drawn", "sha256", "digest", "seed", "experiment")
"""Columns of the table after the file's path or the cells of the sample."""

UNSAFE = set('/\\:*?"<>|%')
SEPARATORS = ("|", ";", "&", "+", "~", "^")
LONGEST_NAME = 255
LONGEST_CELL = 2**31 - 1


@dataclass
class AugmentedDataset:
    """A folder of augmented copies; the rows of its table are in the order of the copies, without gaps.

    Of several processes all write files, and rank 0, which holds the lock, opens the folder, appends rows and finishes.
    """

    path: Path
    split: DataSplit
    identity: Mapping[str, Any]  # what the samples depend on
    cells: tuple[str, ...]  # the columns in which the samples themselves stand; none where each has a file
    folders: Mapping[str, str] | None  # the folder of each class; None for one folder beside a table
    separator: str | None  # of the labels of a sample that has any number of them
    labels: Counter[str] = field(default_factory=Counter)
    count: int = 0
    _digest: Any = field(default_factory=sha256)
    _table: TextIO | None = None

    @classmethod
    def of(
        cls, path: Path, split: DataSplit, identity: Mapping[str, Any], *, as_table: bool, cells: tuple[str, ...] = ()
    ) -> AugmentedDataset:
        """Return the set of the copies of a split, without touching its folder; raises ExperimentError."""
        folders = None if as_table else folder_names(split.task)
        _check_columns(split.task)
        separator = separator_for(split.task.classes) if split.task.multi_label else None
        return cls(path, split, identity, cells, folders, separator)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table, with the label or the named regression targets."""
        rest = (name for column in COLUMNS for name in (self._target_columns if column == "label" else (column,)))
        return (*(self.cells or ("path",)), *rest)

    @property
    def _target_columns(self) -> tuple[str, ...]:
        task = self.split.task
        return task.classes if task.regression else ("label",)

    def open(self, wanted: Iterator[Wanted]) -> int:
        """Open an empty folder, or one with a part of the same copies; return how many of them are intact.

        Raises RunFolderTaken, ExperimentError, StorageError.
        """
        self._check_folder()
        fresh = self.path / f".tmp-{TABLE}"
        with storage_errors(f"cannot write {self.path}"):
            for leftover in self.path.glob(".tmp-*"):  # of a process that was killed
                remove(leftover)
            self._write_manifest(complete=None)
            self._table = fresh.open("w", encoding="utf-8", errors="surrogateescape", newline="", buffering=1)
            csv.writer(self._table).writerow(self.columns)
            for row, copy in zip(self._rows(), wanted, strict=False):
                if not self._holds(row, copy):
                    break
                self._append(row)
            fresh.replace(self.path / TABLE)
        return self.count

    def _check_folder(self) -> None:
        """Raise RunFolderTaken or ExperimentError if the folder holds something else."""
        try:
            names = {entry.name for entry in self.path.iterdir() if not entry.name.startswith(".")}
            if names and MANIFEST not in names:
                text = f"{self.path}: is not empty and holds no augmented samples; choose another --output"
                raise RunFolderTaken(text)
            manifest = read_json(self.path / MANIFEST)
            if manifest is not None:
                _check_same(self.path, manifest, self.identity)
        except OSError as error:
            raise _not_writable(self.path, error) from error

    def write(self, copy: Copy) -> dict[str, str]:
        """Write the file of a copy, unless the table holds the sample itself; return its row of the table."""
        sample = int(self.split.ids[copy.wanted.position])
        if self.cells:
            row = {**copy.cells, "sha256": _digest_of_cells([copy.cells[name] for name in self.cells])}
        else:
            place = FILES if self.folders is None else self.folders[copy.labels[0]]
            path = f"{place}/{sample:07}-{copy.wanted.copy:03}{copy.suffix}"
            self._write_file(path, copy.content)
            row = {"path": path, "sha256": sha256(copy.content).hexdigest()}
        return {**row, **self._provenance(copy, sample)}

    def append(self, rows: Iterable[Mapping[str, str]]) -> None:
        """Append the rows of copies, which are in their order, to the table."""
        with storage_errors(f"cannot write {self.path / TABLE}"):
            for row in rows:
                self._append(row)

    def _write_file(self, path: str, content: bytes) -> None:
        target = self.path / path
        with storage_errors(f"cannot write {target}"):
            make_inside(target.parent)
            temporary = target.with_name(f".tmp-{target.name}")
            with os.fdopen(open_inside(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb") as file:
                file.write(content)
            temporary.replace(target)

    def finish(self) -> str:
        """Mark the set as complete, when its files are on disk; return its digest."""
        assert self._table is not None
        with storage_errors(f"cannot write {self.path}"):
            self._table.close()
            self._write_manifest(complete={"samples": self.count, "digest": self._digest.hexdigest()})
        return str(self._digest.hexdigest())

    def _provenance(self, copy: Copy, sample: int) -> dict[str, str]:
        drawn = {name: {key: _short(value) for key, value in values.items()} for name, values in copy.values.items()}
        numbers = self.split.targets[copy.wanted.position].tolist() if self.split.task.regression else []
        targets = [repr(x) for x in numbers] or [(self.separator or "").join(copy.labels)]
        return {
            **dict(zip(self._target_columns, targets, strict=True)),
            "source": self.split.samples.name(sample),
            "sample": str(sample),
            "copy": str(copy.wanted.copy),
            "drawn": dumps(drawn),
            "digest": copy.digest,
            "seed": str(self.identity["seed"]),
            "experiment": self.identity["experiment"],
        }

    def _append(self, row: Mapping[str, str]) -> None:
        assert self._table is not None
        csv.DictWriter(self._table, self.columns).writerow(row)
        self._digest.update(row["digest"].encode())
        if not self.split.task.regression:
            self.labels[row["label"]] += 1
        self.count += 1

    def _rows(self) -> Iterator[dict[str, str]]:
        """Read the rows written so far; the last one may be truncated."""
        table = self.path / TABLE
        csv.field_size_limit(LONGEST_CELL)
        if table.is_file():
            with table.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
                for row in csv.DictReader(file):
                    yield {column: row.get(column) or "" for column in self.columns}

    def _holds(self, row: Mapping[str, str], wanted: Wanted) -> bool:
        """Whether the row belongs to a copy whose content still matches its hash."""
        sample = int(self.split.ids[wanted.position])
        if (row.get("sample"), row.get("copy"), row.get("experiment")) != (
            str(sample),
            str(wanted.copy),
            self.identity["experiment"],
        ):
            return False
        if self.cells:
            return _digest_of_cells([row[name] for name in self.cells]) == row["sha256"]
        try:
            content = (self.path / row["path"]).read_bytes()
        except OSError:
            return False
        return sha256(content).hexdigest() == row["sha256"]

    def _write_manifest(self, complete: Mapping[str, Any] | None) -> None:
        manifest = {**self.identity, "labels_separator": self.separator, "complete": complete}
        replace(self.path / MANIFEST, (dumps(manifest, indent=1) + "\n").encode())


def lock(path: Path) -> Lock:
    """Create the folder if needed and lock it; raises RunFolderTaken, StorageError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        return Lock(path, ", or choose another --output")
    except OSError as error:
        raise _not_writable(path, error) from error


def _not_writable(path: Path, error: OSError) -> FtaugError:
    """Return the error of a folder that cannot be created or locked."""
    text = f"{path}: cannot be written ({error.strerror}); choose another --output"
    return as_storage_error(error) or RunFolderTaken(text)


def folder_names(task: Task) -> dict[str, str]:
    """Map each class to a folder name, percent-encoded where necessary; raises ExperimentError."""
    if task.kind != "single_label":
        have = "numbers" if task.regression else "any number of labels"
        raise ExperimentError(f"--format folder: these samples have {have}; use --format table")
    folded = Counter(names.folded(name) for name in task.classes)
    folders = {name: folder_name(name, alone=folded[names.folded(name)] == 1) for name in task.classes}
    for name, folder in folders.items():
        if len(os.fsencode(folder)) > LONGEST_NAME:
            raise ExperimentError(f"--format folder: the class '{name[:40]}…' is too long; use --format table")
    return folders


def _check_columns(task: Task) -> None:
    """Raise ExperimentError if a regression target has the name of another column of the table."""
    for name in task.classes if task.regression else ():
        if name in COLUMNS:
            raise ExperimentError(f"data.train: the target '{name}' has the name of a column of {TABLE}; rename it")


def folder_name(name: str, *, alone: bool = True) -> str:
    """Percent-encode a class for use as a folder name; if not `alone` in its case-folded form, all but a-z and 0-9."""
    if not alone:
        return "".join(c if c.isascii() and (c.islower() or c.isdigit()) else _percent_encoded(c) for c in name)
    safe = "".join(_percent_encoded(c) if c in UNSAFE or (ord(c) < 32 or ord(c) == 127) else c for c in name)
    if safe[0] in ". ":
        safe = _percent_encoded(safe[0]) + safe[1:]
    return safe[:-1] + _percent_encoded(safe[-1]) if safe[-1] in ". " else safe


def _percent_encoded(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in os.fsencode(character))


def separator_for(classes: Sequence[str]) -> str:
    """Return a character that occurs in no class name; raises ExperimentError."""
    for separator in SEPARATORS:
        if not any(separator in name for name in classes):
            return separator
    raise ExperimentError(f"the class names contain all of {' '.join(SEPARATORS)} to separate labels by")


def _digest_of_cells(cells: Sequence[str]) -> str:
    return sha256(json.dumps(cells).encode()).hexdigest()


def _short(value: float | str) -> float | str:
    return value if isinstance(value, str) else float(f"{value:.6g}")


def _check_same(path: Path, manifest: Mapping[str, Any], identity: Mapping[str, Any]) -> None:
    """Raise ExperimentError with the differing settings."""
    differing = [
        f"{key} {manifest.get(key)} → {value}" for key, value in identity.items() if manifest.get(key) != value
    ]
    if differing:
        raise ExperimentError(
            f"{path}: holds the samples of another experiment ({', '.join(differing)}); choose another --output"
        )
