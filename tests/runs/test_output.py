import json
import math

import numpy as np
import pytest

from ftaug.runs import output


def test_json_has_null_for_what_is_no_finite_number():
    value = {"a": math.nan, "b": [1.5, math.inf, np.float32("nan")], "c": np.array([[1, 2]]), 3: np.int64(4)}
    assert json.loads(output.to_json(value)) == {"a": None, "b": [1.5, None, None], "c": [[1, 2]], "3": 4}


def test_json_keeps_letters_of_all_scripts():
    assert "犬" in output.to_json({"class": "犬"})


@pytest.mark.parametrize(
    ("value", "shown"), [(0.123456, "0.1235"), (1234, "1,234"), (math.nan, "–"), ("cat", "cat"), ("", "")]
)
def test_figures_are_short(value, shown):
    assert output.figure(value) == shown


def test_a_table_away_from_a_terminal_cuts_nothing_and_reads_no_markup(capsys):
    name = "a [bold] name " * 30
    output.show(output.table(("class", "samples"), [(name, 1234), ("line\nbreak\x1b[31m", 5)]), "wrote :smile: [x]")
    shown = capsys.readouterr().out
    assert name.strip() in shown
    assert "1,234" in shown
    assert r"\x1b[31m" in shown and "\x1b" not in shown
    assert "wrote :smile: [x]" in shown


def test_texts_are_left_and_figures_right(capsys):
    output.show(output.table(("name", "count"), [("a", 1), ("long", 1000)]))
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert any(line.startswith(" a ") and line.endswith("    1") for line in lines)
