"""A table that fits any width without cutting: columns that have no room continue in a further block below."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich import box
from rich.cells import cell_len, chop_cells
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table

from ftaug.errors import printable

NARROWEST_NAME, NARROWEST_TEXT = 12, 24
"""Least widths to which the first column, and others with text, are wrapped if the table does not fit."""

PIECE = re.compile(r"[^\s_/-]*[_/-]+|[^\s_/-]+|\s+")
"""What is not broken where a text is wrapped: words, and parts of names such as `average_precision`."""


class Width(NamedTuple):
    """The widths that a column may have, in character cells."""

    least: int
    natural: int


class ColumnBlocks(Table):
    """A table that shows every column; the first, which names the rows, is repeated in each block.

    The columns of least weight come last. Numbers are never wrapped; text is wrapped between words.
    """

    def __init__(self, headings: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool]) -> None:
        super().__init__(box=box.SIMPLE_HEAD, pad_edge=False)
        self.cells = rows
        for heading, is_right in zip(headings, right, strict=True):
            self.add_column(heading, justify="right" if is_right else "left", overflow="fold")
        for row in rows:
            self.add_row(*row)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Measure the table in one block."""
        widths = [width.natural for width in self._widths(options.max_width)]
        total = min(_table_width(widths), options.max_width)
        return Measurement(total, total)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the blocks; a block of two columns that has no room overflows rather than cut a number."""
        widths = self._widths(options.max_width)
        for members in blocks(widths, options.max_width):
            shares = fit([widths[i] for i in members], options.max_width)
            room = max(options.max_width, _table_width(shares))
            yield from console.render(self._block(members, shares), options.update(max_width=room))

    def _block(self, members: Sequence[int], widths: Sequence[int]) -> Table:
        block = Table(box=self.box, pad_edge=False)
        for i, width in zip(members, widths, strict=True):
            column = self.columns[i]
            block.add_column(column.header, justify=column.justify, overflow="fold", width=width)
        for row in self.cells:
            block.add_row(*("\n".join(wrap(row[i], width)) for i, width in zip(members, widths, strict=True)))
        return block

    def _widths(self, room: int) -> list[Width]:
        return [self._width(number, room) for number in range(len(self.columns))]

    def _width(self, number: int, room: int) -> Width:
        """Measure a column: numbers need their whole width, headings and texts that of their longest word."""
        column, cells = self.columns[number], [row[number] for row in self.cells]
        heading = str(column.header)
        content = max(map(_longest_line, cells), default=0)
        natural = max(content, _longest_line(heading))
        if column.justify == "right":
            return Width(max(content, _longest_word(heading)), natural)
        words = max(map(_longest_word, [heading, *cells]))
        narrowest = NARROWEST_TEXT if number else NARROWEST_NAME
        return Width(min(natural, max(narrowest, min(words, room // 2))), natural)


def blocks(widths: Sequence[Width], room: int) -> Iterator[list[int]]:
    """Yield the columns of each block, the first column in all of them."""
    members = [0]
    for number in range(1, len(widths)):
        if len(members) > 1 and _table_width([widths[i].least for i in (*members, number)]) > room:
            yield members
            members = [0]
        members.append(number)
    yield members


def fit(widths: Sequence[Width], room: int) -> list[int]:
    """Distribute the room of a table over its columns, each cell to the column that would have most lines."""
    result = [width.least for width in widths]
    for _ in range(min(room, _table_width([width.natural for width in widths])) - _table_width(result)):
        lacking = max(range(len(widths)), key=lambda i: widths[i].natural / result[i] if widths[i].natural else 0)
        result[lacking] += 1
    return result


def wrap(text: str, width: int) -> list[str]:
    """Wrap a text between words, and within one that is longer than a line."""
    lines: list[str] = []
    for line in printable(text).split("\n"):
        lines.append("")
        for piece in PIECE.findall(line):
            if lines[-1] and cell_len(lines[-1]) + cell_len(piece.rstrip()) > width:
                lines.append("")
                piece = piece.lstrip()
            chunks = chop_cells(piece, width)
            lines[-1] += chunks[0] if chunks else ""
            lines += chunks[1:]
    return [line.rstrip() for line in lines]


def _table_width(widths: Sequence[int]) -> int:
    """Return the width of a table: its columns, a space at each end and three cells between columns."""
    return sum(widths) + 3 * len(widths) - 1


def _longest_line(text: str) -> int:
    return max(map(cell_len, printable(text).split("\n")))


def _longest_word(text: str) -> int:
    return max((cell_len(piece) for piece in PIECE.findall(printable(text)) if not piece.isspace()), default=0)
