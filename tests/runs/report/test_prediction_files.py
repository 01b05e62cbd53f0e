"""Predictions in files: written one by one, and whole or not at all."""

import csv
import json

import numpy as np
import pytest

from ftaug.errors import ExperimentError, StorageError
from ftaug.interfaces.data import Task
from ftaug.runs.prediction import Prediction
from ftaug.runs.report import prediction_files
from ftaug.runs.report.prediction_files import open_file
from ftaug.runs.report.predictions import WithFeatures, form

LAYOUT = form(Task(("cat", "dog")), 1)
PREDICTIONS = [
    Prediction("bad.jpg", error="not a picture"),
    Prediction("1.jpg", np.array([0.25, 0.75])),
    Prediction("b\udcff.jpg", np.array([1.0, 0.0])),
]


def write(path, predictions=PREDICTIONS):
    with open_file(LAYOUT, path) as sink:
        for prediction in predictions:
            sink(prediction)
    return path


def test_csv_and_json_lines(tmp_path):
    with write(tmp_path / "p.csv").open(newline="", errors="surrogateescape") as file:
        rows = [*csv.reader(file)]
    assert rows == [
        ["input", "class", "probability", "error"],
        ["bad.jpg", "", "", "not a picture"],
        ["1.jpg", "dog", "0.75", ""],
        ["b\udcff.jpg", "cat", "1", ""],
    ]
    lines = [
        json.loads(line) for line in write(tmp_path / "p.jsonl").read_bytes().decode(errors="replace").splitlines()
    ]
    assert lines[0] == {"input": "bad.jpg", "error": "not a picture"}
    assert lines[1] == {"input": "1.jpg", "predictions": [{"class": "dog", "probability": 0.75}]}


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_parquet_has_types_and_nulls(tmp_path, monkeypatch, chunk):
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(prediction_files, "CHUNK", chunk)
    table = parquet.read_table(write(tmp_path / "p.parquet"))
    assert [str(kind) for kind in table.schema.types] == ["string", "string", "double", "string"]
    assert table.to_pylist()[:2] == [
        {"input": "bad.jpg", "class": None, "probability": None, "error": "not a picture"},
        {"input": "1.jpg", "class": "dog", "probability": 0.75, "error": None},
    ]
    assert table.num_rows == 3 and parquet.read_table(write(tmp_path / "none.parquet", [])).num_rows == 0


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_an_error_leaves_the_old_file_and_no_other(tmp_path, suffix):
    path = tmp_path / f"p{suffix}"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), open_file(LAYOUT, path) as sink:
        sink(PREDICTIONS[1])
        raise KeyboardInterrupt
    assert [file.name for file in tmp_path.iterdir()] == [path.name] and path.read_text() == "old"


def test_a_wrong_suffix_or_folder_is_an_error_at_once(tmp_path):
    with pytest.raises(ExperimentError, match=r"--output must end in \.csv, \.jsonl or \.parquet; got p\.txt"):
        open_file(LAYOUT, tmp_path / "p.txt")
    with pytest.raises(StorageError, match="cannot be written"), open_file(LAYOUT, tmp_path / "no" / "p.csv"):
        pass


FEATURES = np.array([1 / 3, -2e-9], np.float32)
WITH_FEATURES = [PREDICTIONS[0], Prediction("1.jpg", np.array([0.25, 0.75]), features=FEATURES)]


def write_features(path, predictions):
    with open_file(WithFeatures(LAYOUT), path) as sink:
        for prediction in predictions:
            sink(prediction)
    return path


def test_features_have_a_column_each_in_csv_and_all_their_digits(tmp_path):
    with write_features(tmp_path / "p.csv", WITH_FEATURES).open(newline="") as file:
        header, bad, good = csv.reader(file)
    assert header == ["input", "class", "probability", "feature_0", "feature_1", "error"]
    assert bad == ["bad.jpg", "", "", "", "", "not a picture"]
    assert np.array(good[3:5]).astype(np.float32).tobytes() == FEATURES.tobytes()
    assert write_features(tmp_path / "bad.csv", WITH_FEATURES[:1]).read_text() == (
        "input,class,probability,error\nbad.jpg,,,not a picture\n"
    )


def test_features_are_a_list_in_json_lines_and_parquet(tmp_path):
    lines = write_features(tmp_path / "p.jsonl", WITH_FEATURES).read_text().splitlines()
    assert np.array(json.loads(lines[1])["features"], np.float32).tobytes() == FEATURES.tobytes()
    assert "features" not in json.loads(lines[0])
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(write_features(tmp_path / "p.parquet", WITH_FEATURES))
    assert str(table.schema.field("features").type) == "list<element: float>"
    bad, good = table["features"].to_pylist()
    assert bad is None and np.array(good, np.float32).tobytes() == FEATURES.tobytes()
