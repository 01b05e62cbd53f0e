"""Read texts to predict from the command line: lines, table rows, files, or literal texts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from ftaug.data.folders.named import content, files_of, is_there, version_of
from ftaug.data.tables import delimited
from ftaug.data.tables.cells import plain_text
from ftaug.data.tables.rows import SUFFIXES as TABLES
from ftaug.data.tables.rows import rows
from ftaug.errors import BadData, ExperimentError, FtaugError, MissingInput, combined
from ftaug.interfaces.data import Input
from ftaug.text.datasets.in_memory import encoded_as_utf8
from ftaug.text.datasets.table import columns_of
from ftaug.text.types import SUFFIXES, Text, decoded

STANDARD_INPUT = "-"
NAME_LENGTH = 60
UNREAD = (".json", ".xlsx", ".xls", ".ods", ".pdf", ".docx", ".doc", ".odt", ".gz", ".zip", ".arrow", ".feather")
"""Suffixes of unsupported file types."""


@dataclass(frozen=True)
class Inputs:
    """Reader of texts to predict, consistent with the training dataset."""

    columns: tuple[str, ...] = ("text",)  # text columns of a table; two for text pairs
    whole_files: bool = False  # one text per file instead of one per line

    @classmethod
    def like(cls, dataset: str, settings: Mapping[str, Any]) -> Inputs:
        """Create the reader from the training dataset and its settings."""
        if dataset == "text_table":
            return cls(columns_of(settings))
        return cls(whole_files=dataset == "text_folder")

    def of(self, named: Sequence[str]) -> Iterator[Input]:
        """Yield the texts; raises MissingInput, BadData and ExperimentError for invalid names before the first."""
        parts: list[str] = []
        errors: list[FtaugError] = []
        for name in named:
            try:
                parts += self._expand(name)
            except FtaugError as error:
                errors.append(error)
        if named.count(STANDARD_INPUT) > 1:
            errors.append(ExperimentError("- (standard input) is named twice; it can be read only once"))
        if errors:
            raise combined(errors)
        for name in parts:
            yield from self._read_argument(name)

    def _expand(self, name: str) -> list[str]:
        """Return the argument itself, or the files of a folder; raises MissingInput and BadData."""
        if name == STANDARD_INPUT or (not is_there(name) and not looks_like_path(name)):
            return [name]
        if not is_there(name):
            raise MissingInput(f"{name}: no such file or folder (to predict it as a text, use standard input: -)")
        if name.lower().endswith(UNREAD):
            raise BadData(
                f"{name}: {Path(name).suffix} is not supported; supported: {', '.join(TABLES)}, or one text per line"
            )
        if _is_table(name):
            next(self._rows(name), None)
            print("".join(f"{note}\n" for note in delimited.note(Path(name))), end="", file=sys.stderr)
        return [*map(os.fsdecode, files_of(name, SUFFIXES))]

    def _read_argument(self, name: str) -> Iterator[Input]:
        if name == STANDARD_INPUT:
            if sys.stdin is None:
                raise MissingInput("-: standard input is closed")
            yield from self._lines("stdin", sys.stdin.buffer)
        elif not is_there(name):
            yield Input(_shortened(name), partial(self._text, name), _version(name))
        elif _is_table(name):
            yield from self._read_table(name)
        elif self.whole_files:
            yield Input(name, lambda: self._text(decoded(content(name))), version_of(name))
        else:
            try:
                with Path(name).open("rb") as file:
                    yield from self._lines(name, file)
            except OSError as error:
                yield Input(name, partial(_fail, MissingInput(f"cannot be read: {error.strerror}")))

    def _lines(self, name: str, file: BinaryIO) -> Iterator[Input]:
        lines = (line for lines in file for line in lines.removesuffix(b"\n").removesuffix(b"\r").split(b"\r"))
        for number, line in enumerate(lines, 1):
            yield Input(f"{name}:{number}", partial(self._line, line), _version(line))

    def _line(self, line: bytes) -> Text:
        return self._text(decoded(line))

    def _text(self, text: str) -> Text:
        """Parse a text, or a TAB-separated pair; raises BadData."""
        if len(self.columns) == 1:
            return _validated([text])
        parts = text.split("\t")
        if len(parts) != 2:
            raise BadData(f"must be two texts with one TAB between them; got {len(parts) - 1} TABs")
        return _validated(parts)

    def as_text(self, value: Any) -> Text:
        """Convert a string, or a pair of strings if the model takes pairs; raises BadData."""
        parts = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Sequence) else ()
        if len(parts) != len(self.columns) or not all(isinstance(part, str) for part in parts):
            wanted = "a string" if len(self.columns) == 1 else "a pair of strings"
            raise BadData(f"must be {wanted}; got {value!r}")
        return _validated(parts)

    def _rows(self, name: str) -> Iterator[tuple[int, Sequence[Any]]]:
        return rows("predict", Path(name), self.columns)

    def _read_table(self, name: str) -> Iterator[Input]:
        """Yield the rows of a table; stop at the first unreadable row."""
        try:
            for line, values in self._rows(name):
                yield Input(f"{name}:{line}", partial(self._row, values), _version(repr(values)))
        except FtaugError as error:
            place, message = error.problems[0].place, error.problems[0].message
            yield Input(str(place or name), partial(_fail, BadData(f"{message}; the remaining rows are not read")))

    def _row(self, values: Sequence[Any]) -> Text:
        return _validated([plain_text(column, value) for column, value in zip(self.columns, values, strict=True)])


def looks_like_path(name: str) -> bool:
    """Whether a nonexistent argument was meant as a path: by its suffix, or a separator that texts would not have."""
    if name == STANDARD_INPUT:
        return False
    if name.lower().endswith((*(suffix.decode() for suffix in SUFFIXES), *TABLES, *UNREAD)):
        return True
    if "/" not in name:
        return False
    return not any(map(str.isspace, name)) or name.startswith(("/", "./", "../", "~")) or is_there(name.split("/")[0])


def _is_table(name: str) -> bool:
    return name.lower().endswith(TABLES) and is_there(name)


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= NAME_LENGTH else f"{line[: NAME_LENGTH - 1]}…"


def _validated(parts: Sequence[str]) -> Text:
    """Return the text; raises BadData if it is empty or not valid Unicode."""
    for part in parts:
        encoded_as_utf8(part)
        if not part.strip():
            raise BadData("the text is empty")
    return Text(*parts)


def _version(content: bytes | str) -> str:
    """Return a short digest of a text."""
    data = content if isinstance(content, bytes) else content.encode(errors="surrogatepass")
    return sha256(data).hexdigest()[:16]


def _fail(error: FtaugError) -> Text:
    raise error
