"""User-provided lookup tables: synonyms of words, paraphrases of texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ftaug.data.tables.delimited import DELIMITERS
from ftaug.data.tables.rows import at, rows, whole_rows
from ftaug.errors import BadData
from ftaug.text.datasets.in_memory import encoded_as_utf8


@lru_cache(maxsize=8)
def table(path: Path, key: str, values: str) -> Mapping[str, tuple[str, ...]]:
    """Read a lookup table: values by normalized key (lower case, single spaces), in the order of the table.

    CSV and TSV: the header names the columns, the first of them `key`; all other columns hold values.
    JSON Lines and Parquet: columns `key`, and `values` with a text or a list of texts. Raises MissingInput, BadData.
    """
    by_position = path.suffix.lower() in DELIMITERS
    entries = _by_position(path, key, values) if by_position else _by_name(path, key, values)
    entries_by_key: dict[str, list[str]] = {}
    for line, entry, others in entries:
        if not isinstance(entry, str) or not all(isinstance(other, str) for other in others):
            raise BadData(at(path, line, f"{key} must be a text, and {values} a text or a list of texts"))
        _check_utf8(path, line, [entry, *others])
        values_of_entry = entries_by_key.setdefault(normal(entry), [])
        stripped = (other.strip() for other in others)
        values_of_entry += [other for other in stripped if other and other not in values_of_entry and other != entry]
    known = {entry: tuple(others) for entry, others in entries_by_key.items() if others}
    if not known:
        raise BadData(f"{path} has no {values}")
    return known


def normal(text: str) -> str:
    """Normalize a text as a key: case-folded, with single spaces."""
    return " ".join(text.casefold().split())


def _by_position(path: Path, key: str, values: str) -> Iterator[tuple[int, Any, list[Any]]]:
    """Yield line number, first cell and other cells of each row."""
    table_rows = whole_rows(values, path)
    _, columns = next(table_rows, (1, []))
    if len(columns) < 2 or columns[0].strip() != key:
        named = ", ".join(f"'{name}'" for name in columns) or "nothing"
        raise BadData(at(path, 1, f"must name the columns, {key} and others behind it; got {named}"))
    for line, (entry, *others) in table_rows:
        yield line, entry, others


def _by_name(path: Path, key: str, values: str) -> Iterator[tuple[int, Any, list[Any]]]:
    for line, (entry, others) in rows(values, path, [key, values]):
        yield line, entry, others if isinstance(others, list) else [others]


def _check_utf8(path: Path, line: int, texts: list[str]) -> None:
    try:
        for text in texts:
            encoded_as_utf8(text)
    except BadData as error:
        raise BadData(at(path, line, str(error))) from None
