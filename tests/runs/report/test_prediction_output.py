"""Predictions on stdout as JSON or a table, and in a CSV file."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from ftaug.errors import StorageError
from ftaug.interfaces.data import Task
from ftaug.runs.prediction import Prediction
from ftaug.runs.report.prediction_output import open_sinks
from ftaug.runs.report.predictions import form

LAYOUT = form(Task(("a, b", 'c"d')), 2)
GOOD = Prediction("x.png", np.array([0.123456789, 0.876543211], np.float64))
BAD = Prediction("y.png", error="y.png: not a picture")


def write(predictions, *, layout=LAYOUT, as_json=False, path=None):
    for sink in open_sinks(layout, as_json, path):
        with sink as consume:
            for prediction in predictions:
                consume(prediction)


@pytest.mark.parametrize("predictions", [[], [GOOD], [BAD, GOOD, GOOD]])
def test_json_is_a_list_with_an_entry_for_each_input(capsys, predictions):
    write(predictions, as_json=True)
    entries = json.loads(capsys.readouterr().out)
    assert [entry["input"] for entry in entries] == [prediction.name for prediction in predictions]
    assert [entry.get("error") for entry in entries] == [prediction.error for prediction in predictions]
    assert all(entry["predictions"][0]["class"] == 'c"d' for entry in entries if "error" not in entry)


def test_a_csv_file_has_a_column_for_errors_and_six_digits(tmp_path, capsys):
    path = tmp_path / "predictions.csv"
    write([GOOD, BAD], path=path)
    assert capsys.readouterr().out == f"{path}\n"
    with path.open(newline="") as file:
        good, bad = csv.DictReader(file)
    assert list(good) == ["input", "class_1", "probability_1", "class_2", "probability_2", "error"]
    assert list(good.values()) == ["x.png", 'c"d', "0.876543", "a, b", "0.123457", ""]
    assert list(bad.values()) == ["y.png", "", "", "", "", "y.png: not a picture"]


def test_numbers_of_a_regression_keep_their_digits(tmp_path):
    write(
        [Prediction("x", np.array([0.1 + 0.2]))],
        layout=form(Task(("n",), regression=True), None),
        path=tmp_path / "p.csv",
    )
    assert (tmp_path / "p.csv").read_text() == "input,n,error\nx,0.3,\n"


def test_json_and_a_file_together(tmp_path, capsys):
    write([GOOD], as_json=True, path=tmp_path / "p.csv")
    assert len(json.loads(capsys.readouterr().out)) == 1
    assert (tmp_path / "p.csv").is_file()


def test_a_table_has_a_column_of_errors_only_where_there_are_any(capsys):
    write([GOOD])
    assert "error" not in capsys.readouterr().out
    write([GOOD, BAD])
    shown = capsys.readouterr().out
    assert "error" in shown and "y.png: not a picture" in shown and "0.8765" in shown


def test_a_file_that_cannot_be_written(tmp_path):
    with pytest.raises(StorageError, match="cannot be written"):
        write([GOOD], path=tmp_path / "missing" / "p.csv")


def test_a_folder_is_an_error_before_anything_is_predicted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in (tmp_path, Path()):
        with pytest.raises(StorageError, match="it is a folder; name a file"):
            write((pytest.fail("predicted") for _ in range(1)), path=path)
