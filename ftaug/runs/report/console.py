"""Print human-readable tables and JSON on stdout."""

from __future__ import annotations

import io
import math
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TextIO

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from ftaug.config.strict_json import dumps
from ftaug.engine.system.run_log import log
from ftaug.errors import join_words, printable, wrapped
from ftaug.runs.report.column_blocks import ColumnBlocks

WIDE = 10_000
TIMESTAMPS = "FTAUG_TIMESTAMPS"
NUMBERS = re.compile(r"([\d.,<+–±%-]|e[+-]\d|\s(to\s)?)*|[a-z]+")
"""A cell with numbers, such as an interval, or with a word in place of one, such as `frozen`."""


class PlainConsole(Console):
    """A rich console that prints text verbatim: no markup, control characters escaped; as wide as needed in a file."""

    def __init__(self, *, stderr: bool = False, width: int | None = None, file: TextIO | None = None) -> None:
        super().__init__(stderr=stderr, width=width, file=file, highlight=False, markup=False, emoji=False)
        if width is None and not self.is_terminal:
            self.width = WIDE

    def render_str(self, text: str, **options: Any) -> Text:
        """Convert a string to rich text, escaping control characters of class and file names."""
        return super().render_str(printable(text), **options)

    def lines(self, *blocks: RenderableType) -> list[str]:
        """Render tables, commands and lines; on a terminal lines are wrapped at spaces, and never within a word."""
        with self.capture() as captured:
            for block in blocks:
                if isinstance(block, str):
                    text = printable(block)
                    self.print(Text(wrapped(text, self.width, cell_len) if self.is_terminal else text), soft_wrap=True)
                else:
                    self.print(block, crop=False)
        return [line.rstrip() for line in captured.get().split("\n")[:-1]]


@dataclass(frozen=True)
class Command:
    """A shell command to copy, on a line of its own; a long one is continued with backslashes between words."""

    words: Sequence[str]  # quoted for the shell

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the command, indented."""
        lines = join_words(self.words, options.max_width - len(" \\"), "  ", "    ", cell_len)
        yield Text(" \\\n".join(map(printable, lines)), no_wrap=True, overflow="ignore")


_quiet: ContextVar[bool] = ContextVar("quiet", default=False)


@contextmanager
def quiet() -> Iterator[None]:
    """Context manager in which lines go into the log of a run alone, and progress bars are not drawn."""
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)


def is_quiet() -> bool:
    """Whether nothing is printed on stderr, as within `quiet`."""
    return _quiet.get()


def say(*blocks: RenderableType) -> None:
    """Print tables and lines on stderr, and into the log of a run while it is trained."""
    print_on_stderr(*blocks)
    record(*blocks)


def print_on_stderr(*blocks: RenderableType) -> None:
    """Print tables and lines on stderr, with the time of day if the environment variable FTAUG_TIMESTAMPS is set."""
    if is_quiet():
        return
    stderr = PlainConsole(stderr=True)
    has_time = os.environ.get(TIMESTAMPS, "").lower() in ("1", "true", "yes", "on")
    stamp = time.strftime("%Y-%m-%d %H:%M:%S ") if has_time else ""
    stderr.width = max(1, stderr.width - len(stamp))
    for line in stderr.lines(*blocks):
        print(f"{stamp}{line}".rstrip(), file=sys.stderr, flush=True)


def record(*blocks: RenderableType) -> None:
    """Write tables and lines into the log of a run, if one is open."""
    if log.handlers:
        for line in PlainConsole(file=io.StringIO()).lines(*blocks):
            if line:
                log.info("%s", line)


def show(*blocks: RenderableType) -> None:
    """Print tables and lines on stdout."""
    for line in PlainConsole().lines(*blocks):
        print(line)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Build a table; text columns are left-aligned, numbers right-aligned. The columns of least weight come last."""
    values = [tuple(row) for row in rows]
    cells = [[figure(value) for value in row] for row in values]
    columns = range(len(headings))
    are_numbers = [not all(isinstance(row[i], str) for row in values) or _has_numbers(cells, i) for i in columns]
    return ColumnBlocks(headings, cells, are_numbers)


def _has_numbers(cells: Sequence[Sequence[str]], column: int) -> bool:
    """Whether a column has numbers in texts; whole ones alone may be names, and the first column has names."""
    texts = [row[column] for row in cells]
    return column > 0 and all(map(NUMBERS.fullmatch, texts)) and any(re.search(r"\d[.%]", text) for text in texts)


def key_values(rows: Iterable[tuple[str, str]] = ()) -> Table:
    """Build a table of names and what they stand for, which is wrapped."""
    result = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    result.add_column(style="bold", no_wrap=True)
    result.add_column(overflow="fold")
    for row in rows:
        result.add_row(*row)
    return result


def figure(value: object) -> str:
    """Format a value: floats with four decimals, counts with commas, a dash for None and NaN."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4f}" if math.isfinite(value) else "–"
    return f"{value:,}" if isinstance(value, int) else str(value)


def with_interval(result: Mapping[str, Any], decimals: int) -> str:
    """Format an estimate with its interval, if it has one, which has a decimal less: `0.986 0.93–1.00`."""
    value = f"{result['value']:.{decimals}f}"
    return f"{value} {result['low']:.{decimals - 1}f}–{result['high']:.{decimals - 1}f}" if "low" in result else value


def to_json(value: Any) -> str:
    """Serialize to strict JSON: NaN and infinity become null."""
    return dumps(value, indent=2)
