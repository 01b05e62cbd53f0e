"""Users' tables for texts: from a word to its synonyms, from a text to its paraphrases."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ftaug.errors import BadData, ExperimentError, MissingInput, did_you_mean

SEPARATORS = {".csv": ",", ".tsv": "\t"}
SUFFIXES = (*SEPARATORS, ".jsonl")


@lru_cache(maxsize=8)
def table(path: Path, key: str, values: str) -> Mapping[str, tuple[str, ...]]:
    """What a table has for each key, lower-cased and with single spaces, in its order.

    CSV and TSV: the first row names the columns, the first of them `key`; all others hold what there is for it.
    JSON Lines: objects with `key` and a text or a list of texts at `values`. Raises MissingInput, BadData.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ExperimentError(f"{path} must be a table that ends in .csv, .tsv or .jsonl")
    try:
        content = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise MissingInput(f"{path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise BadData(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8") from None
    separator = SEPARATORS.get(path.suffix.lower())
    rows = _objects(path, content, key, values) if separator is None else _rows(path, content, separator, key)
    found: dict[str, list[str]] = {}
    for asked, others in rows:
        kept = found.setdefault(normal(asked), [])
        kept += [other for other in others if other not in kept and other != asked]
    known = {asked: tuple(others) for asked, others in found.items() if others}
    if not known:
        raise BadData(f"{path} holds no {values}")
    return known


def normal(text: str) -> str:
    """A text as a key: in lower case, white space as single spaces."""
    return " ".join(text.casefold().split())


def _rows(path: Path, content: str, separator: str, key: str) -> Iterator[tuple[str, list[str]]]:
    reader = csv.reader(content.splitlines(keepends=True), delimiter=separator, strict=True)
    try:
        columns = next(reader, [])
        if not columns or columns[0].strip() != key or len(columns) < 2:
            raise BadData(f"{path}:1: must name the columns, {key} and others behind it; got {separator.join(columns)}")
        for row in reader:
            if row:
                yield row[0], [cell.strip() for cell in row[1:] if cell.strip()]
    except csv.Error as error:
        raise BadData(f"{path}:{reader.line_num}: {error}") from None


def _objects(path: Path, content: str, key: str, values: str) -> Iterator[tuple[str, list[str]]]:
    for number, line in enumerate(content.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row: Any = json.loads(line)
        except ValueError as error:
            raise BadData(f"{path}:{number}: is not JSON: {error}") from None
        if not isinstance(row, dict):
            raise BadData(f"{path}:{number}: must be an object with {key} and {values}")
        for name in (key, values):
            if name not in row:
                raise BadData(f"{path}:{number}: lacks '{name}'{did_you_mean(name, row)}")
        others = [row[values]] if isinstance(row[values], str) else row[values]
        if not isinstance(row[key], str) or not isinstance(others, list) or not all(isinstance(o, str) for o in others):
            raise BadData(f"{path}:{number}: {key} must be a text, and {values} a text or a list of texts")
        yield row[key], [other.strip() for other in others if other.strip()]
