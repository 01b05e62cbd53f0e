"""Rows of a table in a file: CSV, TSV, JSON Lines or Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ftaug.errors import BadData, MissingInput, Place, Problem, did_you_mean, missing_extra

Row = tuple[int, Sequence[Any]]
"""The number of its line (Parquet: of the row, from 1), and the values of the columns asked for."""

DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
JSON_LINES = (".jsonl", ".ndjson")
SUFFIXES = (*DELIMITERS, *JSON_LINES, ".parquet")

LONGEST_CELL = 2**31 - 1
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""What files in that encoding begin with."""


def rows(reader: str, path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """Read columns row by row for a dataset, named for its errors; raises BadData with the line, or MissingInput."""
    suffix = _checked(reader, path)
    if suffix in DELIMITERS:
        return _delimited(path, columns, DELIMITERS[suffix])
    return _json_lines(path, columns) if suffix in JSON_LINES else _parquet(path, columns)


def header(reader: str, path: Path) -> list[str]:
    """The names of the columns; in JSON Lines those of the first line. Raises BadData, MissingInput."""
    suffix = _checked(reader, path)
    if suffix in DELIMITERS:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            return next(csv.reader(file, delimiter=DELIMITERS[suffix]), [])
    if suffix in JSON_LINES:
        return next((list(record) for _, record in _records(path)), [])
    with _opened_parquet(path) as file:
        return list(file.schema_arrow.names)


def _checked(reader: str, path: Path) -> str:
    """The ending of a table that is there and can be read."""
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
    """A problem on a line of the table."""
    return Problem(message, Place(str(path), line))


def _delimited(path: Path, columns: Sequence[str], delimiter: str) -> Iterator[Row]:
    csv.field_size_limit(LONGEST_CELL)
    # a byte that is not UTF-8 may belong to a file's name: it is carried through as os.fsdecode does
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            names = next(reader, [])
            check_columns(path, columns, names)
            wanted = [names.index(column) for column in columns]
            before = reader.line_num
            for row in reader:
                line, before = before + 1, reader.line_num
                if not row:
                    continue
                if len(row) <= max(wanted):
                    raise BadData(at(path, line, f"the row has {len(row)} of {len(names)} columns"))
                yield line, [row[index] for index in wanted]
        except csv.Error as error:
            doubled = "; inside a quoted cell, quotation marks are doubled" if "expected after" in str(error) else ""
            raise BadData(at(path, max(reader.line_num, 1), f"the row cannot be read: {error}{doubled}")) from None


def _json_lines(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    for number, record in _records(path):
        check_columns(path, columns, list(record), number)
        yield number, [record[column] for column in columns]


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of JSON Lines with the numbers of their lines."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise BadData(at(path, number, f"the line is not JSON: {error}")) from None
            if not isinstance(record, dict):
                raise BadData(at(path, number, "the line must be a JSON object with one key for each column"))
            yield number, record


def _parquet(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    with _opened_parquet(path) as file:
        check_columns(path, columns, file.schema_arrow.names)
        number = 0
        for batch in file.iter_batches(columns=list(dict.fromkeys(columns))):
            for values in zip(*(_values(batch.column(column)) for column in columns), strict=True):
                number += 1
                yield number, values


@contextmanager
def _opened_parquet(path: Path) -> Iterator[Any]:
    try:
        from pyarrow import ArrowInvalid, parquet
    except ImportError:
        raise missing_extra(f"reading {path.name}", "pyarrow", "parquet") from None
    try:
        with parquet.ParquetFile(path) as file:
            yield file
    except ArrowInvalid as error:
        raise BadData(f"{path} is not a Parquet file: {error}") from None


def _values(column: Any) -> list[Any]:
    """The cells of a column; bytes that are not UTF-8 are carried through, as in the other formats."""
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        cells = (None if not cell.is_valid else cell.as_buffer().to_pybytes() for cell in column)
        return [cell if cell is None else cell.decode(errors="surrogateescape") for cell in cells]


def check_columns(path: Path, wanted: Sequence[str], names: Sequence[str], line: int = 1) -> None:
    """Refuse a table that lacks a column or has it twice."""
    for column in wanted:
        if column not in names:
            there = ", ".join(f"'{name}'" for name in names) or "none"
            near = did_you_mean(column, names)
            hint = near if "did you mean" in near else ""
            raise BadData(at(path, line, f"no column '{column}'; the columns are {there}{hint}"))
        if names.count(column) > 1:
            raise BadData(at(path, line, f"there are {names.count(column)} columns '{column}'"))
