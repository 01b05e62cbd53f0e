import json
import math
import re
import shlex

import numpy as np
import pytest
from rich.table import Table

from ftaug.engine.system.run_log import start_logging, stop_logging
from ftaug.runs.report import console
from ftaug.runs.report.console import Command
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
        console.say(text)
        console.show(text)
    ProgressBar(1, 0).line(NAMES[0])
    out, err = capsys.readouterr()
    shown = re.sub("\x1b\\[[0-9;]*m", "", out + err) if terminal else out + err
    assert "\x1b" not in shown
    assert "\x1b[31m" not in out + err
    assert (out.count(r"\x1b[31mred"), err.count(r"\x1b[31mred")) == (4, 5)
    assert all(name in out and name in err for name in NAMES[1:])


@pytest.fixture
def narrow(monkeypatch):
    """A terminal of 40 columns."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")


def test_lines_are_wrapped_on_a_terminal_only_and_never_within_a_word(narrow, monkeypatch, capsys):
    path = "/data/" + "x" * 50
    text = f"  the picture is written to {path} and the table too"
    console.show(text)
    assert capsys.readouterr().out.splitlines() == ["  the picture is written to", f"  {path}", "  and the table too"]
    monkeypatch.delenv("FORCE_COLOR")
    console.show(text)
    assert capsys.readouterr().out == f"{text}\n"


def test_long_commands_continue_with_a_backslash(narrow, monkeypatch, capsys):
    command = Command(("ftaug", "export", f"'{'x' * 30} y'", "--format onnx"))
    console.say(command)
    shown = capsys.readouterr().err
    assert shown.splitlines() == ["  ftaug export \\", f"    '{'x' * 30} y' \\", "    --format onnx"]
    assert shlex.split(shown.replace("\\\n", " ")) == ["ftaug", "export", "x" * 30 + " y", "--format", "onnx"]
    monkeypatch.delenv("FORCE_COLOR")
    console.say(command)
    assert capsys.readouterr().err.splitlines() == [f"  ftaug export '{'x' * 30} y' --format onnx"]


def test_numbers_and_intervals_are_right_aligned_and_names_are_not():
    table = console.table(
        ("name", "as text", "interval", "rate", "class", "count"),
        [("7.5", "12 %a", "+0.1 to +0.2", "1.5e-03", "7", 1), ("8", "", "–", "frozen", "8", None)],
    )
    assert [column.justify for column in table.columns] == ["left", "left", "right", "right", "left", "right"]


def test_what_is_said_while_a_run_is_open_is_in_its_log(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv(console.TIMESTAMPS, "1")
    handlers = start_logging(tmp_path / "train.log")
    try:
        console.say("hello\x1b[31m", console.table(("class", "count"), [("cat", 5)]))
        console.print_on_stderr("only here")
    finally:
        stop_logging(handlers)
    console.say("later")
    times, lines = zip(
        *(line.split(" INFO ") for line in (tmp_path / "train.log").read_text().splitlines()), strict=True
    )
    assert lines == ("hello\\x1b[31m", " class   count", lines[2], " cat         5")
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", time) for time in times)
    err = capsys.readouterr().err.splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d( |$)", line) for line in err)
    assert [line[20:] for line in err if line[20:]][-2:] == ["only here", "later"]
    monkeypatch.setenv(console.TIMESTAMPS, "0")
    console.say("no time")
    assert capsys.readouterr().err == "no time\n"
