"""JSON that every parser reads, and that nothing in the package writes another."""

import ast
import json
import math
from pathlib import Path

import numpy as np
import pytest

import ftaug
from ftaug.config.strict_json import dumps, nan_for_null
from ftaug.engine.system.run_folder import RunFolder
from ftaug.engine.training.fit import Progress

PACKAGE = Path(ftaug.__file__).parent
NOT_FILES_OF_JSON = {
    "config/listing.py",  # defaults in a table
    "runs/train_file.py",  # the text of an override
    "config/dump.py",  # a digest
    "config/strict_json.py",
    "engine/training/feature_cache.py",
    "runs/doctor/backbone_features.py",  # a digest
    "engine/system/lock.py",  # who holds a folder: whole numbers and texts
    "engine/system/resume_check.py",  # values of a message
    "data/index_file.py",  # a cache of names
    "config/search_space.py",  # YAML
    "runs/search/samplers.py",  # keys of a set
    "recipes/writer.py",  # YAML
    "reporting.py",  # errors: whole numbers and texts, also in a signal handler
    "runs/augmented_dataset.py",  # a digest
    "runs/neighbors.py",  # a digest
}


def refuse(constant):
    raise ValueError(constant)


def strict(text):
    return json.loads(text, parse_constant=refuse)


def test_what_is_not_finite_is_null():
    value = {"a": math.nan, "b": [math.inf, -math.inf, 1.5], "c": np.float32("nan"), "d": np.array([1.0, np.nan])}
    assert strict(dumps(value)) == {"a": None, "b": [None, None, 1.5], "c": None, "d": [1.0, None]}


def test_texts_stay_readable_and_can_always_be_encoded():
    text = dumps({"café": "not utf-8: \udcff"})
    assert "café" in text
    assert json.loads(text.encode()) == {"café": "not utf-8: \udcff"}


def test_null_is_read_as_not_a_number():
    assert str(nan_for_null({"a": None, "b": [1, None]})) == "{'a': nan, 'b': [1, nan]}"


def test_nothing_else_in_the_package_writes_json():
    """A new writer of JSON goes through `strict_json.dumps`, so that no NaN reaches a file or a pipe."""
    users = set()
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in ("json.dumps", "json.dump"):
                users.add(str(file.relative_to(PACKAGE)))
    assert users <= NOT_FILES_OF_JSON


def test_a_run_folder_holds_strict_json_and_reads_its_numbers_back(tmp_path):
    folder = RunFolder.open(tmp_path / "runs" / "x", experiment_yaml="", resolved_yaml="", digest="digest")
    values = {"loss": 0.5, "r2": math.nan}
    row = {
        "step": 1,
        "epoch": 1.0,
        "loss": 0.5,
        "lr": 0.1,
        "samples": 8,
        "gradients": {"head": math.inf},
        "val": values,
    }
    folder.append_metrics(row)
    folder.finish(1, {"step": 1, "metrics": {"r2": math.nan, "loss": 0.5}})
    assert folder.read_metrics()[0]["loss"] == 0.5 and math.isnan(folder.read_metrics()[0]["val"]["r2"])
    assert folder.complete["metrics"]["loss"] == 0.5 and math.isnan(folder.complete["metrics"]["r2"])
    folder.close()
    for file in folder.path.glob("*.json*"):
        for line in file.read_text().splitlines() if file.suffix == ".jsonl" else [file.read_text()]:
            strict(line)


def test_scores_of_a_checkpoint_that_are_undefined_come_back():
    values = {"step": 3, "scores": [0.5, None], "losses": [None, 1.0], "best_step": None, "window_loss": None}
    progress = Progress.from_json(values)
    assert progress.best_step is None
    assert [progress.scores[0], progress.losses[1]] == [0.5, 1.0]
    assert all(math.isnan(x) for x in (progress.scores[1], progress.losses[0], progress.window_loss))


@pytest.mark.parametrize("value", [{1, 2}, object()])
def test_what_is_no_json_is_an_error(value):
    with pytest.raises(TypeError):
        dumps(value)
