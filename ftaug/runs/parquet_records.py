"""Records of evaluated samples as Parquet, with the extra `parquet`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from ftaug.errors import missing_extra

CHUNK = 10_000
"""Number of rows that are converted at once."""


def library(what: str) -> Any:
    """Import pyarrow; raises Unavailable."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise missing_extra(what, "pyarrow", "parquet") from None
    return pyarrow


def to_parquet(header: Sequence[str], types: Sequence[type], rows: Iterator[Sequence[object]]) -> bytes:
    """Format rows of cells as Parquet, each column of a type: str, int or float."""
    arrow = library("records as Parquet")
    kinds = {str: arrow.string(), int: arrow.int64(), float: arrow.float64()}
    schema = arrow.schema([(name, kinds[kind]) for name, kind in zip(header, types, strict=True)])
    target = arrow.BufferOutputStream()
    with arrow.parquet.ParquetWriter(target, schema) as writer:
        while chunk := list(islice(rows, CHUNK)):
            columns = [
                [_text(cell) if kind is str else kind(cell) for cell in cells]
                for kind, cells in zip(types, zip(*chunk, strict=True), strict=True)
            ]
            writer.write_table(arrow.table(columns, schema=schema))
    return bytes(target.getvalue())


def read_parquet(path: Path) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Read the header and the rows; raises ValueError if it is not a Parquet file."""
    arrow = library(f"reading {path.name}")
    table = arrow.parquet.read_table(path)  # ArrowInvalid is a ValueError
    return table.column_names, list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _text(cell: object) -> str:
    """Replace bytes that are not UTF-8, which a name of a file may have."""
    return str(cell).encode(errors="surrogateescape").decode(errors="replace")
