"""Image datasets in the columns of Parquet and Arrow files."""

from __future__ import annotations

from typing import Annotated

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
from ftaug.image import dataset
from ftaug.image.datasets.shards import StoredPictures
from ftaug.image.io.grayscale import GrayRange

ImageColumn = Annotated[
    Text | None, Doc("the column with the encoded pictures, bytes or {bytes, path}; the only such column unless set")
]


@dataset.register(tasks=column_tasks)
def image_parquet(
    split: str,
    *,
    path: ParquetPath,
    image: ImageColumn = None,
    label: LabelColumn = None,
    target: TargetColumns = None,
    group: GroupColumn = None,
    classes: ClassNames = None,
    value_range: GrayRange = None,
) -> StoredPictures:
    """Pictures in Parquet files, as data sets on the Hugging Face hub have them.

    Samples are in the order of the rows. The files are read once to index them, and the index is cached. Each worker
    holds row groups of up to 256 MB, at least one: with `data.order: shards` a row group is read once an epoch and
    worker, in random order for almost every picture. Needs pyarrow. Reads the encoded bytes.
    """
    files = shards("image_parquet", split, path, SUFFIXES)
    columns = ColumnSettings(image, label, target, group, classes)
    return StoredPictures(file_index("image_parquet", path, files, PARQUET, columns, "picture"), value_range)


@dataset.register(tasks=column_tasks)
def hf_disk(
    split: str,
    *,
    path: DiskPath,
    image: ImageColumn = None,
    label: LabelColumn = None,
    target: TargetColumns = None,
    group: GroupColumn = None,
    classes: ClassNames = None,
    value_range: GrayRange = None,
) -> StoredPictures:
    """Pictures of a Hugging Face dataset on disk (`save_to_disk`), read at their offsets in its Arrow files.

    Samples are in the order of the rows. Needs pyarrow. Reads the encoded bytes.
    """
    files = files_on_disk(split, path)
    columns = ColumnSettings(image, label, target, group, classes)
    return StoredPictures(file_index("hf_disk", path, files, ARROW, columns, "picture"), value_range)
