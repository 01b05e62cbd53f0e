"""Draw a progress bar in place on a terminal, also while its window is resized."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import TextIO

from rich.cells import cell_len

WIDEST = 79
NARROWEST_BAR, WIDEST_BAR = 6, 24
UP, ERASE_BELOW = "\x1b[A", "\x1b[J"


class TerminalBar:
    """A line on a terminal that is drawn anew in its place."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.drawn = 0  # width of the line on the screen, in character cells

    def draw(self, share: float, texts: Sequence[str]) -> None:
        """Draw the bar with its texts, those of most weight first."""
        line = bar_line(share, texts, min(WIDEST, _columns() - 1))
        self.stream.write(self._back() + line)
        self.stream.flush()
        self.drawn = cell_len(line)

    def erase(self) -> None:
        """Erase the line, so that another can be printed in its place."""
        self.stream.write(self._back())
        self.stream.flush()
        self.drawn = 0

    def _back(self) -> str:
        """Return to the start of the line, which a terminal that became narrower has wrapped, and erase it."""
        rows_above = max(0, self.drawn - 1) // _columns()
        return "\r" + UP * rows_above + ERASE_BELOW


def bar_line(share: float, texts: Sequence[str], room: int) -> str:
    """Format a bar with as many texts as have room, those of most weight first; none is cut but the first."""
    line = f"{share:4.0%}"
    shown = [text for number, text in enumerate(texts) if _width(line, texts[: number + 1]) <= room]
    bar = min(WIDEST_BAR, room - _width(line, shown) - len(" []"))
    if bar >= NARROWEST_BAR:
        done = int(share * bar)
        line += f" [{'#' * done}{'-' * (bar - done)}]"
    return "  ".join([line, *shown])[:room]


def _width(line: str, texts: Sequence[str]) -> int:
    return cell_len("  ".join([line, *texts]))


def _columns() -> int:
    return max(2, shutil.get_terminal_size().columns)
