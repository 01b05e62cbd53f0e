"""Print human-readable tables and JSON on stdout."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ftaug.config.strict_json import dumps
from ftaug.errors import printable

WIDE = 10_000


class PlainConsole(Console):
    """A rich console that prints text verbatim: no markup, control characters escaped."""

    def __init__(self, *, stderr: bool = False, soft_wrap: bool = False, width: int | None = None) -> None:
        super().__init__(stderr=stderr, soft_wrap=soft_wrap, width=width, highlight=False, markup=False, emoji=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """Convert a string to rich text, escaping control characters of class and file names."""
        return super().render_str(printable(text), **options)


def say(text: str) -> None:
    """Print a human-readable line on stderr, with control characters escaped."""
    print(printable(text), file=sys.stderr)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None) -> Table:
    """Build a rich table; text columns are left-aligned, numbers right-aligned."""
    rows = [tuple(row) for row in rows]
    result = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left", title_style="bold")
    for position, heading in enumerate(headings):
        text = all(isinstance(row[position], str) for row in rows)
        result.add_column(heading, justify="left" if text else "right", no_wrap=True)
    for row in rows:
        result.add_row(*(figure(value) for value in row))
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


def show(*tables: Table | str) -> None:
    """Print tables and lines; full width if stdout is not a terminal."""
    console = PlainConsole()
    if not console.is_terminal:
        console = PlainConsole(width=WIDE)
    for block in tables:
        console.print(block, soft_wrap=isinstance(block, str))


def to_json(value: Any) -> str:
    """Serialize to strict JSON: NaN and infinity become null."""
    return dumps(value, indent=2)
