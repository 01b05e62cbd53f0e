"""Text datasets in the columns of Parquet and Arrow files."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

from ftaug.config.types import Doc, Text
from ftaug.data import split_groups
from ftaug.data.shards.arrow_files import files_on_disk
from ftaug.data.shards.column_index import (
    ARROW,
    PARQUET,
    ClassNames,
    DiskPath,
    Format,
    GroupColumn,
    LabelColumn,
    ParquetPath,
    Rows,
    TargetColumns,
    column_tasks,
)
from ftaug.data.shards.columns import ColumnSettings
from ftaug.data.shards.parquet_files import SUFFIXES
from ftaug.data.shards.paths import shards
from ftaug.data.tables.cells import text as cell_text
from ftaug.text import dataset
from ftaug.text.datasets.in_memory import SHOWN, Collected, Empty, TextSamples

TextColumn = Annotated[Text | None, Doc("the column with the text; `text` unless set")]


@dataclass(frozen=True)
class RowNames:
    """Names of rows: the file and the row's number."""

    files: Sequence[Path]
    file_of: np.ndarray  # int32 (n,)
    rows: np.ndarray  # int64 (n,)

    def __getitem__(self, index: int) -> str:
        return f"{self.files[int(self.file_of[index])]}:{self.rows[index]}"


@dataset.register(tasks=column_tasks)
def text_parquet(
    split: str,
    *,
    path: ParquetPath,
    text: TextColumn = None,
    label: LabelColumn = None,
    target: TargetColumns = None,
    group: GroupColumn = None,
    classes: ClassNames = None,
    empty: Empty = "error",
) -> TextSamples:
    """Texts in Parquet files, as data sets on the Hugging Face hub have them, with the class names of their schema.

    Settings:
        empty: error, or skip to leave out texts of nothing but white space

    All texts are held in memory; the same text in several rows is on one side of a split. Needs pyarrow.
    """
    files = shards("text_parquet", split, path, SUFFIXES)
    return _in_memory("text_parquet", path, files, PARQUET, ColumnSettings(text, label, target, group, classes), empty)


@dataset.register(tasks=column_tasks)
def hf_disk(
    split: str,
    *,
    path: DiskPath,
    text: TextColumn = None,
    label: LabelColumn = None,
    target: TargetColumns = None,
    group: GroupColumn = None,
    classes: ClassNames = None,
    empty: Empty = "error",
) -> TextSamples:
    """Texts of a Hugging Face dataset on disk (`save_to_disk`), with the class names of its schema.

    Settings:
        empty: error, or skip to leave out texts of nothing but white space

    All texts are held in memory; the same text in several rows is on one side of a split. Needs pyarrow.
    """
    files = files_on_disk(split, path)
    return _in_memory("hf_disk", path, files, ARROW, ColumnSettings(text, label, target, group, classes), empty)


def _in_memory(
    reader: str, path: Path | str, files: Sequence[Path], format: Format, settings: ColumnSettings, empty: Empty
) -> TextSamples:
    """Read the texts of all rows; raises BadData and MissingInput."""
    rows, texts = Rows(reader, files, format, "text", settings), Collected(1)
    file_of, numbers = array("i"), array("q")
    for number, first, chunk in rows.chunks():
        for row, text in enumerate(chunk.columns[rows.columns.sample].to_pylist(), first + 1):
            texts.take(len(numbers), [cell_text(text)])
            file_of.append(number)
            numbers.append(row)
    names = RowNames(files, np.asarray(file_of), np.asarray(numbers))
    notes = texts.left_out(str(path), [names[place] for place in texts.empty[:SHOWN]], empty)
    labeled, taken = rows.labels.finish(path, "text"), texts.taken
    targets, groups = labeled.targets[taken], None if labeled.groups is None else labeled.groups[taken]
    groups = split_groups.joined(split_groups.equal(texts.hashes), groups)
    texts.digest.update(targets.tobytes() + (b"" if groups is None else groups.tobytes()))
    texts.digest.update("\0".join(labeled.task.classes).encode())
    return TextSamples(
        texts.parts,
        RowNames(files, names.file_of[taken], names.rows[taken]),
        targets,
        labeled.task,
        texts.digest.hexdigest(),
        (*labeled.notes, *notes),
        groups,
        keys=texts.keys,
    )
