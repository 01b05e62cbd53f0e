"""Rows of delimited text: CSV and TSV, and the semicolon-separated files that spreadsheets write in much of Europe.

Only `\\n`, `\\r\\n` and `\\r` end a row, never U+2028 or a form feed. A row with more or fewer cells than the header is
an error: it comes from a separator inside an unquoted cell, and reading on would cut the cell short.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from ftaug.errors import BadData, Place, Problem, one_of

DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
NAMES = {",": "a comma", ";": "a semicolon", "\t": "a TAB", "|": "a vertical bar"}
"""The separators that a header is searched for."""

LONGEST_CELL = 2**31 - 1


def delimiter(path: Path) -> str:
    """The separator: what the file's ending stands for, unless only another one separates names in the header."""
    with _opened(path) as file:
        line = file.readline()
    usual = DELIMITERS[path.suffix.lower()]
    counts = {mark: _cells(line, mark) for mark in (usual, *NAMES)}
    return usual if counts[usual] > 1 else max(counts, key=counts.__getitem__)


def _cells(line: str, mark: str) -> int:
    """How many cells a line has with a separator; 0 where its quotation marks contradict that."""
    try:
        return len(next(csv.reader([line], delimiter=mark, strict=True), []))
    except csv.Error:
        return 0


def note(path: Path) -> tuple[str, ...]:
    """Say which separator was recognized, where it is not the one that the file's ending stands for."""
    suffix = path.suffix.lower()
    if suffix not in DELIMITERS or (mark := delimiter(path)) == DELIMITERS[suffix]:
        return ()
    return (f"{path.name}: columns are separated by {NAMES[mark]}, as in its header",)


def ambiguity(path: Path, names: Sequence[str]) -> str:
    """What to add to the error for a missing column where names hold another separator; empty where none does."""
    others = [word for mark, word in NAMES.items() if any(mark in name for name in names)]
    if not others:
        return ""
    return f"; they are separated by {NAMES[delimiter(path)]}, but their names hold {one_of(others)}"


def header(path: Path) -> list[str]:
    """The names of the columns; none in an empty file."""
    return next((names for _, names in records(path)), [])


def records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The header and the rows, each with the number of the line where it begins; raises BadData with the line."""
    csv.field_size_limit(LONGEST_CELL)
    mark = delimiter(path)
    with _opened(path) as file:
        raw: list[str] = []  # the lines of the row
        reader = csv.reader(_noted(file, raw), delimiter=mark, strict=True)
        line, width = 1, -1
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise _bad(path, line, f"the row cannot be read: {_reason(error, ''.join(raw))}") from None
            if width < 0:
                width = len(row)
                yield line, row
            elif row:
                _check(path, line, row, width, "".join(raw), mark)
                yield line, row
            raw.clear()
            line = reader.line_num + 1


def _opened(path: Path) -> TextIO:
    """The text, its line ends untranslated; a byte that is not UTF-8 may belong to a file's name and is kept."""
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def _noted(file: TextIO, raw: list[str]) -> Iterator[str]:
    for line in file:
        raw.append(line)
        yield line


def _check(path: Path, line: int, row: Sequence[str], width: int, raw: str, mark: str) -> None:
    """Refuse a row whose cells are not those of the header."""
    if len(row) == width:
        return
    if len(row) < width:
        raise _bad(path, line, f"the row has {len(row)} of {width} columns")
    if f"\\{mark}" in raw:
        raise _bad(path, line, f"a backslash does not escape {NAMES[mark]}; put the whole cell in quotation marks")
    quote = f"put a cell that holds {NAMES[mark]} in quotation marks"
    raise _bad(path, line, f"the row has {len(row)} cells and the header {width}; {quote}")


def _reason(error: csv.Error, raw: str) -> str:
    if "unexpected end" in str(error):
        return "a cell that opens with a quotation mark is never closed"
    doubled = "; inside a quoted cell, quotation marks are doubled" if "expected after" in str(error) else ""
    return f"{error}{doubled}{', not escaped by a backslash' * bool(doubled and chr(92) + chr(34) in raw)}"


def _bad(path: Path, line: int, message: str) -> BadData:
    return BadData(Problem(message, Place(str(path), line)))
