"""JSON of a run folder is read with its keys checked, and metrics have their present names."""

import json
import os

import pytest

from ftaug.engine.system.run_files import read_json, read_rows
from ftaug.errors import BadData


def test_metrics_of_an_earlier_version_have_their_present_names(tmp_path):
    values = {"loss": 0.4, "calibration_error": 0.1, "accuracy": 1.0}
    rows = [
        {"step": 1, "epoch": 0.5, "loss": 0.5, "lr": 0.1, "samples": 8},
        {"step": 1, "epoch": 0.5, "val": values},
        {"step": 2, "epoch": 1.0, "spike": {"loss": 9.0}},
    ]
    (tmp_path / "metrics.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert read_rows(tmp_path / "metrics.jsonl") == [
        rows[0],
        {"step": 1, "epoch": 0.5, "val": {"loss": 0.4, "ece": 0.1, "accuracy": 1.0}},
        rows[2],
    ]


@pytest.mark.parametrize(
    "row",
    [
        "[]",
        "{}",
        '{"step": 1, "epoch": "x"}',
        '{"step": -1, "epoch": 1.0}',
        '{"step": 1, "epoch": 0.5, "loss": 0.5}',
        '{"step": 1, "epoch": 0.5, "loss": "0.5", "lr": 0.1, "samples": 8}',
        '{"step": 1, "epoch": 0.5, "val": {"accuracy": 1.0}}',
        '{"step": 1, "val": {"loss": 1.0}}',
        '{"step": 1, "epoch": 0.5, "val": 3}',
    ],
)
def test_a_row_that_lacks_what_is_read_is_bad_data(tmp_path, row):
    (tmp_path / "metrics.jsonl").write_text(f'{{"step": 1, "epoch": 0.5, "val": {{"loss": null}}}}\n{row}\n')
    with pytest.raises(BadData, match=r"metrics\.jsonl: is damaged"):
        read_rows(tmp_path / "metrics.jsonl")


@pytest.mark.timeout(10)
@pytest.mark.parametrize("read", [read_json, read_rows])
def test_a_pipe_in_place_of_a_file_is_bad_data_and_nobody_waits_for_it(tmp_path, read):
    path = tmp_path / "metrics.jsonl"
    os.mkfifo(path)
    with pytest.raises(BadData, match="is not a regular file; delete it"):
        read(path)


@pytest.mark.parametrize("folds", [0, 1, 10**12, "3"])
def test_a_number_of_folds_that_cannot_be_is_bad_data(tmp_path, folds):
    (tmp_path / "folds.json").write_text(json.dumps({"digest": "a", "folds": folds, "complete": True}))
    with pytest.raises(BadData, match="is damaged"):
        read_json(tmp_path / "folds.json")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"classes": 3}', "{}"])
def test_a_damaged_file_is_bad_data(tmp_path, text):
    path = tmp_path / "model.json"
    assert read_json(path) is None
    path.write_text(text)
    with pytest.raises(BadData, match="is damaged"):
        read_json(path)
    assert read_json(path / "model.json") is None  # below a file, which was named in place of a run folder
