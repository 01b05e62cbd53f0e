"""Read table rows from CSV, TSV, JSON Lines or Parquet."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ftaug.data.tables import delimited
from ftaug.data.tables.delimited import DELIMITERS
from ftaug.errors import (
    BadData,
    MissingInput,
    Place,
    Problem,
    did_you_mean,
    first_line,
    is_lack_of_memory,
    missing_extra,
)

Row = tuple[int, Sequence[Any]]
"""Line number (Parquet: row number from 1) and the values of the requested columns."""

JSON_LINES = (".jsonl", ".ndjson")
SUFFIXES = (*DELIMITERS, *JSON_LINES, ".parquet")
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""Byte order marks of UTF-16."""


def rows(reader: str, path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """Yield the given columns row by row; `reader` is named in errors. Raises BadData with the line, MissingInput."""
    suffix = _check_file(reader, path)
    if suffix in DELIMITERS:
        return _delimited(path, columns)
    return _json_lines(path, columns) if suffix in JSON_LINES else _parquet(path, columns)


def rows_with_gaps(reader: str, path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """Yield the given columns row by row, None where a line of JSON Lines lacks one; else as `rows`."""
    if _check_file(reader, path) in JSON_LINES:
        return ((number, [record.get(column) for column in columns]) for number, record in _records(path))
    return rows(reader, path, columns)


def whole_rows(reader: str, path: Path) -> Iterator[Row]:
    """Yield all cells of CSV or TSV row by row, header first; column names may repeat. Raises as `rows`."""
    _check_file(reader, path)
    return iter(delimited.records(path))


def header(reader: str, path: Path) -> list[str]:
    """Return the column names; in JSON Lines, the keys of the first line. Raises BadData, MissingInput."""
    suffix = _check_file(reader, path)
    if suffix in DELIMITERS:
        return delimited.header(path)
    if suffix in JSON_LINES:
        return next((list(record) for _, record in _records(path)), [])
    with opened_parquet(path) as file:
        return list(file.schema_arrow.names)


def _check_file(reader: str, path: Path) -> str:
    """Check that a table exists and is readable; return its suffix."""
    suffix = path.suffix.lower()
    if not path.is_file():
        siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise MissingInput(f"no file {path}{did_you_mean(path.name, siblings)}")
    if suffix not in SUFFIXES:
        raise BadData(f"{path}: {reader} reads .csv, .tsv, .jsonl and .parquet, not '{suffix}'")
    try:
        with path.open("rb") as file:
            if file.read(2) in UTF_16:
                raise BadData(f"{path} is UTF-16; save it as UTF-8")
    except PermissionError:
        raise MissingInput(f"{path}: no permission to read the file") from None
    return suffix


def at(path: Path, line: int, message: str) -> Problem:
    """Return a problem located at a line of the table."""
    return Problem(message, Place(str(path), line))


def _delimited(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    table = delimited.records(path)
    _, names = next(table, (1, []))
    check_columns(path, columns, names, hint=delimited.ambiguity(path, names))
    indices = [names.index(column) for column in columns]
    for line, row in table:
        yield line, [row[index] for index in indices]


def _json_lines(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    for number, record in _records(path):
        check_columns(path, columns, list(record), number)
        yield number, [record[column] for column in columns]


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the objects of JSON Lines with their line numbers."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                record = json_object(line)
            except BadData as error:
                raise BadData(at(path, number, str(error))) from None
            yield number, record


def json_object(text: str) -> dict[str, Any]:
    """Parse a JSON object; raises BadData, also for a repeated key."""
    try:
        record = _JSON.decode(text)
    except (ValueError, RecursionError) as error:
        raise BadData(f"the line is not JSON: {error}") from None
    if not isinstance(record, dict):
        raise BadData("the line must be a JSON object with one key for each column")
    if _LONE.search(text) and not _is_text(record):
        raise BadData("half of a surrogate pair, such as \\ud83d alone, is no character")
    return record


_LONE = re.compile(r"\\u[dD][89a-fA-F]")
"""The escape of a surrogate, which may be one of a pair."""


def _is_text(record: dict[str, Any]) -> bool:
    """Whether all strings can be encoded, where \\udc80 to \\udcff stand for bytes of a file's name."""
    try:
        json.JSONEncoder(ensure_ascii=False).encode(record).encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build a JSON object; raises BadData for a repeated key, of which json.loads would keep the last value."""
    record = dict(pairs)
    if len(record) < len(pairs):
        key = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise BadData(f"duplicate key '{key}'")
    return record


_JSON = json.JSONDecoder(object_pairs_hook=_object)


def _parquet(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    with opened_parquet(path) as file:
        check_columns(path, columns, file.schema_arrow.names)
        number = 0
        for batch in file.iter_batches(columns=list(dict.fromkeys(columns))):
            for values in zip(*(_values(batch.column(column)) for column in columns), strict=True):
                number += 1
                yield number, values


@contextmanager
def opened_parquet(path: Path) -> Iterator[Any]:
    """Context manager with an open Parquet file; raises BadData for a damaged one, Unavailable without pyarrow."""
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise missing_extra(f"reading {path.name}", "pyarrow", "parquet") from None
    try:
        with parquet.ParquetFile(path) as file:
            yield file
    except (ArrowException, OSError, UnicodeDecodeError) as error:
        if getattr(error, "errno", None) is not None or is_lack_of_memory(error):  # of the system, not of the content
            raise
        raise BadData(f"{path} is not a Parquet file, or is damaged: {first_line(error)}") from None


def _values(column: Any) -> list[Any]:
    """Return the cells of a column; invalid UTF-8 is kept by surrogateescape, as in the other formats."""
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        cells = (None if not cell.is_valid else cell.as_buffer().to_pybytes() for cell in column)
        return [cell if cell is None else cell.decode(errors="surrogateescape") for cell in cells]


def check_columns(path: Path, required: Sequence[str], names: Sequence[str], line: int = 1, hint: str = "") -> None:
    """Raise BadData for a missing or repeated column."""
    for column in required:
        if column not in names:
            there = ", ".join(f"'{name}'" for name in names) or "none"
            near = did_you_mean(column, names)
            near = near if "did you mean" in near else ""
            raise BadData(at(path, line, f"no column '{column}'; the columns are {there}{hint or near}"))
        if names.count(column) > 1:
            raise BadData(at(path, line, f"there are {names.count(column)} columns '{column}'"))
