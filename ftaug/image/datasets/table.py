"""Image dataset listed in a table with labels or targets."""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.config.types import FilePath, Text
from ftaug.data import split_groups
from ftaug.data.folders.scan import file_id
from ftaug.data.packed import Packed
from ftaug.data.tables import cells
from ftaug.data.tables.file_cells import file_status, path_inside
from ftaug.data.tables.gathering import PROBLEMS_SHOWN, Faults, Table, gather
from ftaug.data.tables.settings import ClassOrder, Soft, SplitColumn, TablePath
from ftaug.data.tables.soft_targets import SoftTargets
from ftaug.data.tables.targets import Targets, targets
from ftaug.data.tables.tasks import table_tasks
from ftaug.image import dataset
from ftaug.image.datasets.index import FileSamples, scaled
from ftaug.image.io.grayscale import GrayRange


@dataset.register(tasks=table_tasks)
def image_table(
    split: str,
    *,
    path: TablePath,
    image: Text = "path",
    label: Text | tuple[Text, ...] | None = None,
    target: Text | tuple[Text, ...] | None = None,
    labels_separator: Text | None = None,
    group: Text | None = None,
    classes: ClassOrder = None,
    soft: Soft = False,
    split_column: SplitColumn = None,
    root: FilePath | None = None,
    value_range: GrayRange = None,
) -> FileSamples:
    """Pictures listed with their labels in a table: CSV, TSV, JSON Lines or Parquet.

    Settings:
        image: the column with the picture's path
        label: the column with the class, or a list of columns of 0 and 1, one for each class of a multi-label task; the
            column `label` unless set
        target: in place of label, for regression: the column with the number to predict, or a list of such columns
        labels_separator: what separates the classes in the label column of a multi-label task, such as "|"; several
            rows of a picture are joined
        group: a column; a split keeps pictures with the same value there on one side; one without a value is a group of
            its own
        root: the folder that the pictures' paths start from, and that holds those of absolute paths; otherwise the
            table's own folder

    A label that is a list (JSON Lines, Parquet) makes the task multi-label too. Names are equal that differ in white
    space at their ends or in Unicode form. A picture in several rows is on one side of a split. Paths may not leave the
    root. Reads the encoded bytes.
    """
    columns: Targets
    if soft:
        columns = SoftTargets("image_table", path)
    else:
        columns = targets("image_table", label=label, target=target, classes=classes, separator=labels_separator)
    rows = _ImageRows(path, root=root or path.parent, column=image)
    table = Table("image_table", "picture", path, (image,), rows.key, columns, group, split_column)
    gathered = gather(table, split, rows.take, rows)
    gathered.update(rows.digest)
    return FileSamples(
        rows.root,
        Packed(bytes(rows.buffer), np.array(rows.ends, np.int64)),
        gathered.targets,
        gathered.task,
        scaled(rows.digest.hexdigest(), value_range),
        (*columns.notes("picture"), *gathered.notes),
        split_groups.joined(split_groups.equal(rows.files), gathered.groups),
        gathered.split_rows,
        np.array(rows.files, np.int64),
        value_range,
        gathered.further_columns,
        gathered.soft_targets,
    )


@dataclass
class _ImageRows(Faults):
    """Collect the images of a split, and the problems of invalid rows."""

    root: Path = field(kw_only=True)
    column: str = field(kw_only=True)
    files: array[int] = field(default_factory=lambda: array("q"))  # hashes of their ids
    buffer: bytearray = field(default_factory=bytearray)
    ends: array[int] = field(default_factory=lambda: array("q"))
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    @contextmanager
    def collecting(self, line: int) -> Iterator[None]:
        """Collect problems of a row; stop after a few, since looking for a million missing files takes long."""
        with super().collecting(line):
            yield
        if max(len(self.bad), len(self.missing)) >= PROBLEMS_SHOWN:
            self.check()

    def key(self, values: Sequence[Any]) -> bytes:
        """Return the path of a row's image relative to the root."""
        return path_inside(cells.plain_text(self.column, values[0]), os.fsencode(self.root), "picture")

    def take(self, line: int, values: Sequence[Any]) -> bool:
        """Add a row."""
        path = self.key(values)
        status = file_status(self.root, path, "picture")
        self.buffer += path
        self.ends.append(len(self.buffer))
        self.files.append(hash(file_id(status, path)))
        self.digest.update(b"%b\0%d\0" % (path, status.st_size))
        return True
