"""Errors as JSON, and what is not taken for a reader that went away."""

import json
import sys

import pytest

from ftaug.cli import run
from ftaug.errors import BadData, NotReached, Place, Problem
from ftaug.reporting import report


def test_an_error_is_json_with_its_problems_and_places(capsys):
    problems = Problem("must be positive", Place("f.yaml", 3, 7)), Problem("no such key")
    assert report(BadData(*problems), as_json=True) == 65
    out, err = capsys.readouterr()
    assert err == "f.yaml:3:7: must be positive\nno such key\n"
    assert json.loads(out) == {
        "error": "f.yaml:3:7: must be positive\nno such key",
        "exit_code": 65,
        "problems": [
            {"message": "must be positive", "file": "f.yaml", "line": 3, "column": 7},
            {"message": "no such key"},
        ],
    }


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["validate", "nowhere.yaml", "--json"], 66, "nowhere.yaml: no such file"),
        (["inspect", "nowhere.yaml", "--json"], 66, "nowhere.yaml: no such file"),
        (["evaluate", "nowhere", "--json"], 66, "nowhere: not a run folder"),
        (["train", "nowhere.yaml", "--json", "--nonsense"], 2, "No such option"),
    ],
)
def test_with_json_every_command_prints_its_error_as_json(capsys, arguments, code, text):
    assert run(arguments) == code
    printed = json.loads(capsys.readouterr().out)
    assert printed["error"].startswith(text)
    assert printed["exit_code"] == code


def test_ctrl_c_and_defects_are_json_too(capsys):
    assert report(KeyboardInterrupt(), as_json=True) == 130
    assert json.loads(capsys.readouterr().out)["exit_code"] == 130
    assert report(ZeroDivisionError("oops"), as_json=True) == 1
    assert json.loads(capsys.readouterr().out)["error"].startswith(
        "internal error (a bug in ftaug): ZeroDivisionError: oops"
    )


def test_a_result_that_is_not_good_enough_is_printed_once(capsys):
    assert report(NotReached("required accuracy >= 0.9, reached 0.5"), as_json=True) == 5
    assert capsys.readouterr().out == ""


def test_a_broken_pipe_elsewhere_is_no_reader_that_went_away(capsys):
    """Such as that to a worker process that died: exit code 0 would hide it."""
    assert report(BrokenPipeError(32, "Broken pipe")) == 1


def test_a_crash_log_never_goes_through_a_link(tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("mine")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "crash.log").symlink_to(outside)
    error = ZeroDivisionError("oops")
    error.run_folder = tmp_path / "run"  # type: ignore[attr-defined]
    assert report(error) == 1
    assert outside.read_text() == "mine"
    assert "ZeroDivisionError: oops" in (tmp_path / "run" / "crash.log").read_text()


def test_on_a_terminal_errors_are_wrapped_at_spaces(monkeypatch, capsys):
    path = "/photos/" + "x" * 40
    error = BadData(f"{path}: cannot be read and is left out", "b.jpg: broken")
    report(error)
    assert capsys.readouterr().err == f"{path}: cannot be read and is left out\nb.jpg: broken\n"
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    report(error)
    assert capsys.readouterr().err.splitlines() == [f"{path}:", "cannot be read and is left out", "b.jpg: broken"]
