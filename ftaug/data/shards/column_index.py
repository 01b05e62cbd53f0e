"""Index the samples in the columns of Parquet and Arrow files."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from ftaug.config.kinds import CLASSES
from ftaug.config.registry import Component
from ftaug.config.types import Doc, FileOrAddress, FilePath, Text
from ftaug.data.packed import Packed
from ftaug.data.shards.arrow_files import arrow_chunks, arrow_schema
from ftaug.data.shards.columns import ENCODED, Columns, ColumnSettings, Content, choose_columns
from ftaug.data.shards.extents import Extents, Shard
from ftaug.data.shards.index import ShardIndex, index_or_recall
from ftaug.data.shards.labels import Labeled, LabelReader
from ftaug.data.shards.parquet_files import Chunk, RowGroups, bytes_of, parquet_chunks, parquet_schema
from ftaug.data.tables.targets import targets
from ftaug.errors import BadData
from ftaug.interfaces.data import TaskKind

ParquetPath = Annotated[
    FileOrAddress,
    Doc(
        "a file, a folder of .parquet files, or several: `train-{000..146}.parquet`, `train-*.parquet`. Of a folder "
        "with files named after splits, those of the split. Or an address, or several in braces: "
        "`https://host/train-{000..146}.parquet`"
    ),
]
DiskPath = Annotated[
    FilePath, Doc("the folder that `save_to_disk` wrote; of several splits, that of the split is read")
]
LabelColumn = Annotated[
    Text | None, Doc("the column with the class; the only one with class names in the schema, or `label`, unless set")
]
TargetColumns = Annotated[
    Text | tuple[Text, ...] | None,
    Doc("in place of label, for regression: the column with the number to predict, or a list of such columns"),
]
GroupColumn = Annotated[Text | None, Doc("a column; a split keeps samples with the same value there on one side")]
ClassNames = Annotated[
    tuple[Text, ...] | None,
    Doc("the classes in their order, which numbers count from 0; those in the schema, or those that occur, unless set"),
]


def column_tasks(dataset: Component) -> tuple[TaskKind, ...]:
    """Return the possible tasks of a dataset of columns; raises ExperimentError for conflicting settings."""
    label, target, classes = (dataset.settings[key] for key in ("label", "target", "classes"))
    targets(dataset.name, label=label, target=target, classes=classes)
    return ("regression",) if target is not None else CLASSES


@dataclass(frozen=True)
class Format:
    """How the files of a format are read."""

    schema: Callable[[Path], Any]
    chunks: Callable[[Path, Sequence[str]], Iterator[Chunk]]


PARQUET, ARROW = Format(parquet_schema, parquet_chunks), Format(arrow_schema, arrow_chunks)


@dataclass
class Rows:
    """Read the labels of all rows; rows and files are numbered from 0."""

    reader: str
    files: Sequence[Path]
    format: Format
    content: Content
    settings: ColumnSettings

    def __post_init__(self) -> None:
        self.columns = choose_columns(self.files[0], self.format.schema(self.files[0]), self.content, self.settings)
        collector = targets(
            self.reader,
            label=None if self.settings.target is not None else self.columns.targets[0],
            target=self.settings.target,
            classes=self.columns.classes,
        )
        self.labels = LabelReader(collector, self.columns.classes, self.columns.group)

    def chunks(self) -> Iterator[tuple[int, int, Chunk]]:
        """Yield the rows of all files, with the number of the file and of the first row; read their labels.

        Raises BadData.
        """
        for number, file in enumerate(self.files):
            if self._columns_of(file) != self.columns:
                raise BadData(f"{file}: its columns, their types or classes are others than those of {self.files[0]}")
            row = 0
            for chunk in self.format.chunks(file, (self.columns.sample, *self.columns.labels)):
                self._read_labels(file, row, chunk)
                yield number, row, chunk
                row += len(chunk.columns[self.columns.sample])

    def _columns_of(self, file: Path) -> Columns:
        return choose_columns(file, self.format.schema(file), self.content, self.settings)

    def _read_labels(self, file: Path, row: int, chunk: Chunk) -> None:
        width = len(self.columns.targets)
        cells = [chunk.columns[column].to_pylist() for column in self.columns.labels]
        for number, values in enumerate(zip(*cells, strict=True), row + 1):

            def name(number: int = number) -> str:
                return f"{file}:{number}"

            with self.labels.collecting(name):
                self.labels.add(name, values[:width], values[-1] if self.columns.group is not None else None)


@dataclass
class _Places:
    """Collect where pictures or sounds are, and their paths."""

    files: Sequence[Path]
    content: Content
    shard_of: array[int] = field(default_factory=lambda: array("i"))
    row_groups: array[int] = field(default_factory=lambda: array("i"))
    rows: array[int] = field(default_factory=lambda: array("q"))  # in their row group
    offsets: array[int] = field(default_factory=lambda: array("q"))  # in their file
    are_located: bool = True  # whether all offsets are known
    sizes: array[int] = field(default_factory=lambda: array("q"))
    paths: bytearray = field(default_factory=bytearray)
    ends: array[int] = field(default_factory=lambda: array("q"))

    def add(self, number: int, first: int, chunk: Chunk, values: Any) -> None:
        """Add the samples of a chunk; `first` is its first row in the file. Raises BadData for one without bytes."""
        import pyarrow.compute

        contents, rows = bytes_of(values), len(values)
        has_paths = values.type.num_fields and values.type.get_field_index("path") >= 0
        paths = pyarrow.compute.struct_field(values, "path").to_pylist() if has_paths else [None] * rows
        if contents.null_count:
            row = contents.is_null().to_pylist().index(True)
            table = ENCODED[self.content].table
            only = f", only the path {paths[row]}; read files with {table}" if paths[row] else ""
            raise BadData(f"{self.files[number]}:{first + row + 1}: the row has no bytes of a {self.content}{only}")
        self.shard_of.extend([number] * rows)
        self.row_groups.extend([chunk.row_group] * rows)
        self.rows.extend(range(chunk.row, chunk.row + rows))
        self.are_located = self.are_located and chunk.offsets is not None
        self.offsets.extend([0] * rows if chunk.offsets is None else chunk.offsets.tolist())
        self.sizes.extend(pyarrow.compute.binary_length(contents).to_pylist())
        for row, path in enumerate(paths, first + 1):
            self.paths += (path or f"{self.files[number].stem}-{row}").encode(errors="surrogateescape")
            self.ends.append(len(self.paths))

    def extents(self, column: str) -> Extents:
        """Return the places of all samples."""
        shards, shard_of = tuple(map(Shard.of, self.files)), np.asarray(self.shard_of, np.int32)
        if self.are_located:
            return Extents(shards, shard_of, np.asarray(self.offsets), np.asarray(self.sizes))
        row_groups = np.asarray(self.row_groups, np.int32)
        return RowGroups(shards, shard_of, np.asarray(self.rows), np.asarray(self.sizes), row_groups, column)


def file_index(
    reader: str, path: Path | str, files: Sequence[Path], format: Format, settings: ColumnSettings, content: Content
) -> ShardIndex:
    """Index the pictures or sounds in the rows of files, in their order; raises BadData and MissingInput."""

    def build() -> ShardIndex:
        rows, places = Rows(reader, files, format, content, settings), _Places(files, content)
        for number, first, chunk in rows.chunks():
            places.add(number, first, chunk, chunk.columns[rows.columns.sample])
        if not places.ends:
            raise BadData(f"{path} has no rows")
        labeled = rows.labels.finish(path, content)
        paths = Packed(bytes(places.paths), np.asarray(places.ends))
        extents = places.extents(rows.columns.sample)
        if labeled.task.kind != "single_label":
            return ShardIndex.of(paths, extents, labeled)
        in_folders = replace(labeled, folders=labeled.task.classes)
        return ShardIndex.of(_in_class_folders(paths, labeled), extents, in_folders)

    return index_or_recall(files, (reader, settings), build)


def _in_class_folders(paths: Packed, labeled: Labeled) -> Packed:
    """Return paths in class folders: `cat/1.jpg` for `1.jpg` of the class cat, as most writers of Parquet leave it."""
    classes = [name.encode(errors="surrogateescape") for name in labeled.task.classes]

    def in_folder(path: bytes, folder: bytes) -> bytes:
        start = b"/" + path.lstrip(b"/")
        place = start.rfind(b"/" + folder + b"/")
        return start[place + 1 :] if place >= 0 else folder + start

    return Packed.of(in_folder(paths[i], classes[code]) for i, code in enumerate(labeled.targets.tolist()))
