"""Users' tables for texts: from a word to its synonyms, from a text to its paraphrases."""

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
    """What a table has for each key, lower-cased and with single spaces, in its order.

    CSV and TSV: the first row names the columns, the first of them `key`; all others hold what there is for it.
    JSON Lines and Parquet: `key` and a text or a list of texts at `values`. Raises MissingInput, BadData.
    """
    by_position = path.suffix.lower() in DELIMITERS
    entries = _by_position(path, key, values) if by_position else _by_name(path, key, values)
    found: dict[str, list[str]] = {}
    for line, asked, others in entries:
        if not isinstance(asked, str) or not all(isinstance(other, str) for other in others):
            raise BadData(at(path, line, f"{key} must be a text, and {values} a text or a list of texts"))
        _check_utf8(path, line, [asked, *others])
        kept = found.setdefault(normal(asked), [])
        stripped = (other.strip() for other in others)
        kept += [other for other in stripped if other and other not in kept and other != asked]
    known = {asked: tuple(others) for asked, others in found.items() if others}
    if not known:
        raise BadData(f"{path} holds no {values}")
    return known


def normal(text: str) -> str:
    """A text as a key: in lower case, white space as single spaces."""
    return " ".join(text.casefold().split())


def _by_position(path: Path, key: str, values: str) -> Iterator[tuple[int, Any, list[Any]]]:
    """The line, the first cell and the others of each row."""
    table_rows = whole_rows(values, path)
    _, columns = next(table_rows, (1, []))
    if len(columns) < 2 or columns[0].strip() != key:
        named = ", ".join(f"'{name}'" for name in columns) or "nothing"
        raise BadData(at(path, 1, f"must name the columns, {key} and others behind it; got {named}"))
    for line, (asked, *others) in table_rows:
        yield line, asked, others


def _by_name(path: Path, key: str, values: str) -> Iterator[tuple[int, Any, list[Any]]]:
    for line, (asked, others) in rows(values, path, [key, values]):
        yield line, asked, others if isinstance(others, list) else [others]


def _check_utf8(path: Path, line: int, texts: list[str]) -> None:
    try:
        for text in texts:
            encoded_as_utf8(text)
    except BadData as error:
        raise BadData(at(path, line, str(error))) from None
