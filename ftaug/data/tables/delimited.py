"""Read delimited text: CSV, TSV and semicolon-separated files, with detection of the delimiter.

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
"""Delimiters detected in the header, with their names."""

LONGEST_CELL = 2**31 - 1


def delimiter(path: Path) -> str:
    """Detect the delimiter: that of the file suffix, unless only another one splits the header."""
    with _open(path) as file:
        line = file.readline()
    usual = DELIMITERS[path.suffix.lower()]
    counts = {mark: _cells(line, mark) for mark in (usual, *NAMES)}
    return usual if counts[usual] > 1 else max(counts, key=counts.__getitem__)


def _cells(line: str, mark: str) -> int:
    """Count the cells of a line for a delimiter; 0 if its quoting is invalid."""
    try:
        return len(next(csv.reader([line], delimiter=mark, strict=True), []))
    except csv.Error:
        return 0


def note(path: Path) -> tuple[str, ...]:
    """Return a note on the detected delimiter, if it is not that of the file suffix."""
    suffix = path.suffix.lower()
    if suffix not in DELIMITERS or (mark := delimiter(path)) == DELIMITERS[suffix]:
        return ()
    return (f"{path.name}: columns are separated by {NAMES[mark]}, as in its header",)


def ambiguity(path: Path, names: Sequence[str]) -> str:
    """Return a hint for a missing column if column names contain another delimiter; else empty."""
    others = [word for mark, word in NAMES.items() if any(mark in name for name in names)]
    if not others:
        return ""
    return f"; they are separated by {NAMES[delimiter(path)]}, but their names hold {one_of(others)}"


def header(path: Path) -> list[str]:
    """Return the column names; empty for an empty file."""
    return next((names for _, names in records(path)), [])


def records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield header and rows, each with the number of its first line; raises BadData with the line."""
    csv.field_size_limit(LONGEST_CELL)
    mark = delimiter(path)
    with _open(path) as file:
        raw: list[str] = []  # raw lines of the current row
        reader = csv.reader(_recorded(file, raw), delimiter=mark, strict=True)
        line, width = 1, -1
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise _row_error(path, line, f"the row cannot be read: {_reason(error, ''.join(raw))}") from None
            if width < 0:
                width = len(row)
                yield line, row
            elif row:
                _check(path, line, row, width, "".join(raw), mark)
                yield line, row
            raw.clear()
            line = reader.line_num + 1


def _open(path: Path) -> TextIO:
    """Open as UTF-8 with untranslated line ends; invalid bytes, as in file names, are kept by surrogateescape."""
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def _recorded(file: TextIO, raw: list[str]) -> Iterator[str]:
    for line in file:
        raw.append(line)
        yield line


def _check(path: Path, line: int, row: Sequence[str], width: int, raw: str, mark: str) -> None:
    """Raise BadData for a row whose number of cells differs from the header."""
    if len(row) == width:
        return
    if len(row) < width:
        raise _row_error(path, line, f"the row has {len(row)} of {width} columns")
    if f"\\{mark}" in raw:
        raise _row_error(
            path, line, f"a backslash does not escape {NAMES[mark]}; put the whole cell in quotation marks"
        )
    quote = f"quote a cell that contains {NAMES[mark]}"
    raise _row_error(path, line, f"the row has {len(row)} cells and the header {width}; {quote}")


def _reason(error: csv.Error, raw: str) -> str:
    if "unexpected end" in str(error):
        return "a cell that opens with a quotation mark is never closed"
    doubled = "; inside a quoted cell, quotation marks are doubled" if "expected after" in str(error) else ""
    return f"{error}{doubled}{', not escaped by a backslash' * bool(doubled and chr(92) + chr(34) in raw)}"


def _row_error(path: Path, line: int, message: str) -> BadData:
    return BadData(Problem(message, Place(str(path), line)))
