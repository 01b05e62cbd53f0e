"""The bar is drawn in its place, also after the window became narrower."""

import re

import pytest

from ftaug.runs.report.terminal_bar import TerminalBar, bar_line


class Terminal:
    """A terminal that wraps its lines anew when its width changes: lines without their wrapping, and the cursor."""

    def __init__(self, columns):
        self.columns, self.lines, self.row, self.column = columns, [""], 0, 0

    def flush(self):
        pass

    def write(self, text):
        for token in re.findall(r"\x1b\[A|\x1b\[J|.|\n", text, re.DOTALL):
            getattr(self, {"\r": "home", "\n": "down", "\x1b[A": "up", "\x1b[J": "erase"}.get(token, "put"))(token)

    def rows(self):
        """The rows of the screen: each line, wrapped."""
        return [
            (number, start)
            for number, line in enumerate(self.lines)
            for start in range(0, max(1, len(line)), self.columns)
        ]

    def resize(self, columns):
        number, position = self.rows()[self.row][0], self.rows()[self.row][1] + self.column
        self.columns = columns
        self.row = max(i for i, (line, start) in enumerate(self.rows()) if line == number and start <= position)
        self.column = position - self.rows()[self.row][1]

    def home(self, _):
        self.column = 0

    def up(self, _):
        self.row = max(0, self.row - 1)

    def down(self, _):
        self.lines.append("")
        self.row, self.column = len(self.rows()) - 1, 0

    def erase(self, _):
        line, start = self.rows()[self.row]
        self.lines = [*self.lines[:line], self.lines[line][: start + self.column]]

    def put(self, letter):
        line, start = self.rows()[self.row]
        place = start + self.column
        self.lines[line] = self.lines[line][:place] + letter + self.lines[line][place + 1 :]
        self.column += 1


def test_narrowing_and_widening_the_window_leaves_one_bar(monkeypatch):
    terminal = Terminal(100)
    bar = TerminalBar(terminal)
    print("epoch 1: val loss 0.5", file=terminal)
    for step, columns in enumerate([100, 100, 60, 59, 33, 20, 12, 90, 60], 1):
        terminal.resize(columns)
        monkeypatch.setenv("COLUMNS", str(columns))
        bar.draw(step / 10, [f"{step}/10", "loss 0.1234, lr 1.00e-03", "0:10:00 left", "4.0 step/s"])
        assert terminal.lines[:-1] == ["epoch 1: val loss 0.5"]
        assert len(terminal.lines[-1]) < columns and terminal.lines[-1].startswith(f" {step}0%")
    bar.erase()
    print("epoch 2: val loss 0.4", file=terminal)
    assert terminal.lines == ["epoch 1: val loss 0.5", "epoch 2: val loss 0.4", ""]


@pytest.mark.parametrize(
    ("room", "line"),
    [
        (79, " 45% [#####-------]  45/100  loss 0.1234, lr 1.00e-03  0:10:00 left  4.0 step/s"),
        (60, " 45%  45/100  loss 0.1234, lr 1.00e-03  0:10:00 left"),
        (40, " 45%  45/100  loss 0.1234, lr 1.00e-03"),
        (37, " 45% [#########-------------]  45/100"),
        (14, " 45%  45/100"),
        (9, " 45%"),
    ],
)
def test_texts_without_room_are_left_out_whole(room, line):
    texts = ["45/100", "loss 0.1234, lr 1.00e-03", "0:10:00 left", "4.0 step/s"]
    assert bar_line(0.45, texts, room) == line
