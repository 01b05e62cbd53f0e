"""Rows of a table in a file: CSV, TSV, JSON Lines or Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ftaug.errors import BadData, MissingInput, Place, Problem, did_you_mean, missing_extra

Row = tuple[int, Sequence[Any]]
"""The number of its line (Parquet: of the row, from 1), and the values of the columns asked for."""

DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}


def rows(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """Read the columns of a table row by row; raises BadData with the line, or MissingInput."""
    suffix = path.suffix.lower()
    if not path.is_file():
        siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise MissingInput(f"no file {path}{did_you_mean(path.name, siblings)}")
    if suffix in DELIMITERS:
        return _delimited(path, columns, DELIMITERS[suffix])
    if suffix in (".jsonl", ".ndjson"):
        return _json_lines(path, columns)
    if suffix == ".parquet":
        return _parquet(path, columns)
    raise BadData(f"{path}: image_table reads .csv, .tsv, .jsonl and .parquet, not '{suffix}'")


def at(path: Path, line: int, message: str) -> Problem:
    """A problem on a line of the table."""
    return Problem(message, Place(str(path), line))


def _delimited(path: Path, columns: Sequence[str], delimiter: str) -> Iterator[Row]:
    # a byte that is not UTF-8 may belong to a file's name: it is carried through as os.fsdecode does
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            header = next(reader, [])
            check_columns(path, columns, header)
            wanted = [header.index(column) for column in columns]
            for row in reader:
                if not row:
                    continue
                if len(row) <= max(wanted):
                    raise BadData(at(path, reader.line_num, f"the row has {len(row)} of {len(header)} columns"))
                yield reader.line_num, [row[index] for index in wanted]
        except csv.Error as error:
            raise BadData(at(path, max(reader.line_num, 1), f"the row cannot be read: {error}")) from None


def _json_lines(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except ValueError as error:
                raise BadData(at(path, number, f"the line is not JSON: {error}")) from None
            if not isinstance(record, dict):
                raise BadData(at(path, number, "the line must be a JSON object with one key for each column"))
            check_columns(path, columns, list(record), number)
            yield number, [record[column] for column in columns]


def _parquet(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    try:
        from pyarrow import ArrowInvalid, parquet
    except ImportError:
        raise missing_extra(f"reading {path.name}", "pyarrow", "parquet") from None
    try:
        with parquet.ParquetFile(path) as file:
            check_columns(path, columns, file.schema_arrow.names)
            number = 0
            for batch in file.iter_batches(columns=list(dict.fromkeys(columns))):
                for values in zip(*(batch.column(column).to_pylist() for column in columns), strict=True):
                    number += 1
                    yield number, values
    except ArrowInvalid as error:
        raise BadData(f"{path} is not a Parquet file: {error}") from None


def check_columns(path: Path, wanted: Sequence[str], header: Sequence[str], line: int = 1) -> None:
    """Refuse a table that lacks a column or has it twice."""
    for column in wanted:
        if column not in header:
            there = ", ".join(f"'{name}'" for name in header) or "none"
            near = did_you_mean(column, header)
            hint = near if "did you mean" in near else ""
            raise BadData(at(path, line, f"no column '{column}'; the columns are {there}{hint}"))
        if header.count(column) > 1:
            raise BadData(at(path, line, f"there are {header.count(column)} columns '{column}'"))
