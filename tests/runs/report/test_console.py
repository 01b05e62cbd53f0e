import json
import math
import re

import numpy as np
import pytest
from rich.table import Table

from ftaug.runs.report import console, training_summary
from ftaug.runs.report.progress_bar import ProgressBar


def test_json_has_null_for_what_is_no_finite_number():
    value = {"a": math.nan, "b": [1.5, math.inf, np.float32("nan")], "c": np.array([[1, 2]]), 3: np.int64(4)}
    assert json.loads(console.to_json(value)) == {"a": None, "b": [1.5, None, None], "c": [[1, 2]], "3": 4}


def test_json_keeps_letters_of_all_scripts():
    assert "犬" in console.to_json({"class": "犬"})


@pytest.mark.parametrize(
    ("value", "shown"), [(0.123456, "0.1235"), (1234, "1,234"), (math.nan, "–"), ("cat", "cat"), ("", "")]
)
def test_figures_are_short(value, shown):
    assert console.figure(value) == shown


def test_a_table_away_from_a_terminal_cuts_nothing_and_reads_no_markup(capsys):
    name = "a [bold] name " * 30
    console.show(console.table(("class", "samples"), [(name, 1234), ("line\nbreak\x1b[31m", 5)]), "wrote :smile: [x]")
    shown = capsys.readouterr().out
    assert name.strip() in shown
    assert "1,234" in shown
    assert r"\x1b[31m" in shown and "\x1b" not in shown
    assert "wrote :smile: [x]" in shown


def test_texts_are_left_and_figures_right(capsys):
    console.show(console.table(("name", "count"), [("a", 1), ("long", 1000)]))
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert any(line.startswith(" a ") and line.endswith("    1") for line in lines)


NAMES = ("\x1b[31mred\x1b[0m", "[bold]x", "[/x]y", ":smile:")


@pytest.mark.parametrize("terminal", [False, True])
def test_names_of_classes_are_shown_as_they_are_with_escape_codes_escaped(capsys, monkeypatch, terminal):
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    table = Table(title=NAMES[0])
    table.add_column(NAMES[0])
    for name in NAMES:
        table.add_row(name)
    for text in (*NAMES, table):
        training_summary.console().print(text)
        console.show(text)
    for name in NAMES:
        console.say(name)
    ProgressBar(1, 0).line(NAMES[0])
    out, err = capsys.readouterr()
    shown = re.sub("\x1b\\[[0-9;]*m", "", out + err) if terminal else out + err
    assert "\x1b" not in shown
    assert "\x1b[31m" not in out + err
    assert (out.count(r"\x1b[31mred"), err.count(r"\x1b[31mred")) == (4, 6)
    assert all(name in out and name in err for name in NAMES[1:])
