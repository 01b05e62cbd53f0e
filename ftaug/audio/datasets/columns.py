"""Sound datasets in the columns of Parquet and Arrow files."""

from __future__ import annotations

from typing import Annotated

from ftaug.audio import dataset
from ftaug.audio.clip import Channels, Silent
from ftaug.audio.datasets.stored import StoredSounds, stored_sounds
from ftaug.config.types import Doc, Text
from ftaug.data.shards.arrow_files import files_on_disk
from ftaug.data.shards.column_index import (
    ARROW,
    PARQUET,
    ClassNames,
    DiskPath,
    GroupColumn,
    LabelColumn,
    ParquetPath,
    TargetColumns,
    column_tasks,
    file_index,
)
from ftaug.data.shards.columns import ColumnSettings
from ftaug.data.shards.parquet_files import SUFFIXES
from ftaug.data.shards.paths import shards

AudioColumn = Annotated[
    Text | None, Doc("the column with the sound files, bytes or {bytes, path}; the only such column unless set")
]


@dataset.register(tasks=column_tasks)
def audio_parquet(
    split: str,
    *,
    path: ParquetPath,
    audio: AudioColumn = None,
    label: LabelColumn = None,
    target: TargetColumns = None,
    group: GroupColumn = None,
    classes: ClassNames = None,
    channels: Channels = "mix",
    silent: Silent = "error",
) -> StoredSounds:
    """Sounds in Parquet files, as data sets on the Hugging Face hub have them.

    Samples are in the order of the rows. The files are read once to index them, and the index is cached. Each worker
    holds row groups of up to 256 MB, at least one: with `data.order: shards` a row group is read once an epoch and
    worker. Needs pyarrow, soundfile and soxr.
    """
    files = shards("audio_parquet", split, path, SUFFIXES)
    columns = ColumnSettings(audio, label, target, group, classes)
    return stored_sounds(file_index("audio_parquet", path, files, PARQUET, columns, "sound"), channels, silent)


@dataset.register(tasks=column_tasks)
def hf_disk(
    split: str,
    *,
    path: DiskPath,
    audio: AudioColumn = None,
    label: LabelColumn = None,
    target: TargetColumns = None,
    group: GroupColumn = None,
    classes: ClassNames = None,
    channels: Channels = "mix",
    silent: Silent = "error",
) -> StoredSounds:
    """Sounds of a Hugging Face dataset on disk (`save_to_disk`), read at their offsets in its Arrow files.

    Samples are in the order of the rows. Needs pyarrow, soundfile and soxr.
    """
    files = files_on_disk(split, path)
    columns = ColumnSettings(audio, label, target, group, classes)
    return stored_sounds(file_index("hf_disk", path, files, ARROW, columns, "sound"), channels, silent)
