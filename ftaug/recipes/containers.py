"""Datasets in archives, Parquet and Arrow files, for which `ftaug init` writes an experiment file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from ftaug.data.folders.named import relative_path
from ftaug.data.shards.archives import SUFFIXES as ARCHIVES
from ftaug.data.shards.archives import members
from ftaug.data.shards.arrow_files import arrow_schema, files_on_disk, splits_on_disk
from ftaug.data.shards.columns import ColumnSettings, Content, choose_columns
from ftaug.data.shards.containers import container_at
from ftaug.data.shards.parquet_files import SUFFIXES as PARQUET
from ftaug.data.shards.parquet_files import parquet_rows, parquet_schema
from ftaug.data.shards.paths import shards, splits_named
from ftaug.errors import BadData
from ftaug.recipes.layout import Layout

LOOKED_AT = 1000
"""Number of members of an archive that are looked at."""

Data = TypeVar("Data")


def samples_in_container(path: Path, content: Content, suffixes: Sequence[bytes]) -> int:
    """Return how many of the first members of an archive are samples, or how many rows a Parquet file has.

    1 for Arrow files with a column of samples, 0 if there are none. 1 for an archive that cannot be read: reading it
    reports why.
    """
    kind = container_at(path)
    try:
        if kind == "shards":
            first = shards("ftaug init", "train", path, ARCHIVES)[0]
            first_members = islice(members(first), LOOKED_AT)
            return sum(member.name.lower().endswith(tuple(suffixes)) for member in first_members)
        if kind is None:
            return 0
        file = files_on_disk("train", path)[0] if kind == "hf_disk" else shards("ftaug init", "train", path, PARQUET)[0]
        schema = arrow_schema(file) if kind == "hf_disk" else parquet_schema(file)
        choose_columns(file, schema, content, ColumnSettings(None, None, None, None, None))
    except BadData:
        return int(kind == "shards")
    return 1 if kind == "hf_disk" else parquet_rows(file)


def container_layout(reader: Callable[..., Data], path: Path, target: Path) -> tuple[Data, Layout]:
    """Read the training samples with a dataset, and return them with the dataset of each split.

    The splits are those that the files of a folder are named after. Raises BadData, MissingInput.
    """
    named = splits_on_disk(path) if container_at(path) == "hf_disk" else splits_named(path, (*ARCHIVES, *PARQUET))
    dataset: dict[str, Any] = {reader.__name__: {"path": relative_path(path, target)}}
    others = [split for split in ("val", "test") if split in named]
    return reader("train", path=path.resolve()), Layout(dict.fromkeys(("train", *others), dataset))
