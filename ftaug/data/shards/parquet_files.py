"""Read samples from Parquet files: a process holds the row groups that it read last."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from ftaug.data.shards.extents import Extents
from ftaug.data.tables.rows import opened_parquet
from ftaug.errors import BadData

SUFFIXES = (".parquet",)
ROWS = 1000
"""Maximum number of rows of a chunk."""
_PAGE_HEADER = 1 << 17
"""Maximum number of bytes between two values."""
HELD_BYTES = 256 << 20
"""Bytes of row groups that a process holds, at least one row group."""


class Chunk(NamedTuple):
    """Some rows of a file, as Arrow arrays by column."""

    row_group: int
    row: int  # the first row, in the row group
    columns: dict[str, Any]
    offsets: np.ndarray | None  # int64: of the samples' bytes in the file; None if they are compressed


@dataclass(frozen=True)
class RowGroups(Extents):
    """The places of samples in Parquet files: `offsets` are the rows in their row groups."""

    row_groups: np.ndarray  # int32 (n,)
    column: str

    def read(self, index: int) -> bytes:
        """Return the bytes of a sample; raises BadData if its file has changed or is damaged."""
        shard = self.shards[int(self.shard_of[index])]
        if not shard.unchanged:
            raise BadData("its shard has changed since the start; restore it, or run the same command again")
        values = _HELD.get(Path(shard.path), int(self.row_groups[index]), self.column)
        return bytes(values[int(self.offsets[index])].as_buffer())

    @property
    def keys(self) -> np.ndarray:
        """Hash the place of each sample: int64 (n,), equal for the same place in the same file."""
        return np.asarray(super().keys ^ (self.row_groups.astype(np.int64) << 32))

    @property
    def places(self) -> np.ndarray:
        """Return the row group, as a number over all files, and the row of each sample: int64 (n, 2)."""
        return np.stack([self.shard_of.astype(np.int64) << 32 | self.row_groups, self.offsets], axis=1)


class _HeldRowGroups:
    """The row groups that this process read last."""

    def __init__(self) -> None:
        self._groups: OrderedDict[tuple[Path, int, str], Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, path: Path, row_group: int, column: str) -> Any:
        """Return the bytes of a row group as an Arrow array."""
        key = path, row_group, column
        with self._lock:
            if key not in self._groups:
                self._groups[key] = _read_bytes(path, row_group, column)
                while len(self._groups) > 1 and sum(group.nbytes for group in self._groups.values()) > HELD_BYTES:
                    self._groups.popitem(last=False)
            self._groups.move_to_end(key)
            return self._groups[key]


_HELD = _HeldRowGroups()


def _read_bytes(path: Path, row_group: int, column: str) -> Any:
    with opened_parquet(path) as file:
        table = file.read_row_group(row_group, columns=[column], use_threads=False)
    return bytes_of(table.column(0).combine_chunks())


def bytes_of(values: Any) -> Any:
    """Return the bytes of a column: of a struct, its field `bytes`."""
    import pyarrow.compute

    return pyarrow.compute.struct_field(values, "bytes") if values.type.num_fields else values


def parquet_schema(path: Path) -> Any:
    """Return the Arrow schema of a Parquet file; raises BadData."""
    with opened_parquet(path) as file:
        return file.schema_arrow


def parquet_rows(path: Path) -> int:
    """Return the number of rows of a Parquet file; raises BadData."""
    with opened_parquet(path) as file:
        return int(file.metadata.num_rows)


def parquet_chunks(path: Path, columns: Sequence[str]) -> Iterator[Chunk]:
    """Yield the rows of a Parquet file, some at a time; `columns` begin with that of the samples. Raises BadData.

    The offsets are those of the samples' bytes in the file, if they are stored without compression.
    """
    with opened_parquet(path) as file, path.open("rb", buffering=0) as content:
        for row_group in range(file.num_row_groups):
            row, start = 0, _start_of_values(file.metadata.row_group(row_group), columns[0])
            for batch in file.iter_batches(ROWS, row_groups=[row_group], columns=[*columns], use_threads=False):
                arrays = dict(zip(batch.schema.names, batch.columns, strict=True))
                offsets = None
                if (
                    start is not None
                    and (offsets := _offsets(content, start, bytes_of(arrays[columns[0]]))) is not None
                ):
                    start = int(offsets[-1]) + len(bytes_of(arrays[columns[0]])[-1].as_buffer())
                yield Chunk(row_group, row, arrays, offsets)
                row += batch.num_rows


def _start_of_values(row_group: Any, column: str) -> int | None:
    """Return where a column of bytes begins in the file; None if it is compressed or encoded."""
    for number in range(row_group.num_columns):
        chunk = row_group.column(number)
        if chunk.path_in_schema in (column, f"{column}.bytes"):
            is_plain = chunk.compression == "UNCOMPRESSED" and {*chunk.encodings} <= {"PLAIN", "RLE", "BIT_PACKED"}
            return int(chunk.data_page_offset) if is_plain and not chunk.has_dictionary_page else None
    return None


def _offsets(content: IO[bytes], start: int, values: Any) -> np.ndarray | None:
    """Find the values in a file from a place on, each behind its length; None if one is not there.

    Values follow one another but for the headers of pages between some of them.
    """
    offsets = np.zeros(len(values), np.int64)
    for number, value in enumerate(values):
        if not value.is_valid:
            return None
        expected = (size := len(value.as_buffer())).to_bytes(4, "little") + value.as_buffer().to_pybytes()
        if os.pread(content.fileno(), len(expected), start) != expected:
            place = os.pread(content.fileno(), len(expected) + _PAGE_HEADER, start).find(expected)
            if place < 0:
                return None
            start += place
        offsets[number] = start + 4
        start += 4 + size
    return offsets
