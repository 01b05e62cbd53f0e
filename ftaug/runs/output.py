"""What commands print on stdout: tables for people, JSON for programs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from ftaug.config.strict_json import dumps
from ftaug.errors import printable

WIDE = 10_000


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None) -> Table:
    """A table with texts to the left of their columns and figures to the right."""
    rows = [tuple(row) for row in rows]
    result = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left", title_style="bold")
    for position, heading in enumerate(headings):
        text = all(isinstance(row[position], str) for row in rows)
        result.add_column(printable(heading), justify="left" if text else "right", no_wrap=True)
    for row in rows:
        result.add_row(*(printable(figure(value)) for value in row))
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
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, emoji=False, width=WIDE)
    for one in tables:
        console.print(one, soft_wrap=isinstance(one, str))


def to_json(value: Any) -> str:
    """JSON that every parser reads: what is no finite number becomes null."""
    return dumps(value, indent=2)
