"""What commands print on stdout: tables for people, JSON for programs."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ftaug.config.strict_json import dumps
from ftaug.errors import printable

WIDE = 10_000


class PlainConsole(Console):
    """A console that shows texts as they are: without markup, and with control characters escaped."""

    def __init__(self, *, stderr: bool = False, soft_wrap: bool = False, width: int | None = None) -> None:
        super().__init__(stderr=stderr, soft_wrap=soft_wrap, width=width, highlight=False, markup=False, emoji=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """Make rich's text of a string, which may hold the name of a class or of a file."""
        return super().render_str(printable(text), **options)


def say(text: str) -> None:
    """Print a line for people on stderr, with control characters escaped."""
    print(printable(text), file=sys.stderr)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None) -> Table:
    """A table with texts to the left of their columns and figures to the right."""
    rows = [tuple(row) for row in rows]
    result = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left", title_style="bold")
    for position, heading in enumerate(headings):
        text = all(isinstance(row[position], str) for row in rows)
        result.add_column(heading, justify="left" if text else "right", no_wrap=True)
    for row in rows:
        result.add_row(*(figure(value) for value in row))
    return result


def figure(value: object) -> str:
    """A human-readable value: numbers with four decimals, counts with commas, a dash for what is undefined."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4f}" if math.isfinite(value) else "–"
    return f"{value:,}" if isinstance(value, int) else str(value)


def show(*tables: Table | str) -> None:
    """Print tables; away from a terminal as wide as they are."""
    console = PlainConsole()
    if not console.is_terminal:
        console = PlainConsole(width=WIDE)
    for one in tables:
        console.print(one, soft_wrap=isinstance(one, str))


def to_json(value: Any) -> str:
    """JSON that every parser reads: what is no finite number becomes null."""
    return dumps(value, indent=2)
