"""Check that a table shows all of its cells."""

import io

import pytest
from rich.cells import cell_len

from ftaug.errors import printable
from ftaug.runs.report.column_blocks import PIECE, ColumnBlocks
from ftaug.runs.report.console import PlainConsole


def assert_whole(table, width=80):
    """Assert that a window shows every number and every word of a table, and that no line is wider."""
    lines = PlainConsole(file=io.StringIO(), width=width).lines(table)
    shown = "\n".join(lines)
    assert max(map(cell_len, lines), default=0) <= width, shown
    cells = [str(column.header) for column in table.columns] + [cell for row in table.cells for cell in row]
    assert "…" not in shown or any("…" in cell for cell in cells), shown
    words = {word for line in lines for word in line.split()}
    for column, values in zip(table.columns, zip(*table.cells, strict=True), strict=False):
        for cell in map(printable, values):
            if column.justify == "right":
                assert cell in shown, f"{cell} is cut in\n{shown}"
            else:
                pieces = [piece for piece in PIECE.findall(cell) if cell_len(piece) <= 12 and not piece.isspace()]
                assert all(any(piece in word for word in words) for piece in pieces), f"{cell} is cut in\n{shown}"


@pytest.fixture(autouse=True)
def whole_tables(monkeypatch):
    """All tables that a test builds are whole in windows of 80 and 60 columns."""
    tables = []
    initialize = ColumnBlocks.__init__

    def remember(table, *arguments):
        tables.append(table)
        initialize(table, *arguments)

    monkeypatch.setattr(ColumnBlocks, "__init__", remember)
    yield
    for table in tables:
        assert_whole(table, 80)
        assert_whole(table, 60)
