"""A run folder that is damaged, or that a training run changes while it is opened."""

import json
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ftaug.engine.system import checkpoint
from ftaug.engine.system.run_files import MODEL_FILE, read_json
from ftaug.errors import BadData, ExperimentError, MissingInput
from ftaug.runs.open_run import open_run
from ftaug.runs.trained_model import best_weights, load_experiment, load_weights


def save(run: Path, step: int) -> Path:
    """A checkpoint whose weights tell its step, and `best` naming it."""
    (run / "checkpoints").mkdir(exist_ok=True)
    path = checkpoint.save(run / "checkpoints", step, {"model": {"w": torch.tensor([float(step)])}}, {})
    checkpoint_link = run / "best"
    checkpoint_link.unlink(missing_ok=True)
    checkpoint_link.symlink_to(Path("checkpoints", path.name))
    return path


@pytest.mark.parametrize("count", [1e308, -1, math.nan])
def test_a_model_file_with_impossible_counts_is_damaged(tmp_path, count):
    facts = {"classes": ["a", "b"], "multi_label": False, "activation": "softmax", "preprocessing": {}}
    (tmp_path / MODEL_FILE).write_text(json.dumps({**facts, "class_counts": [1, count]}))
    with pytest.raises(BadData, match=r"model\.json: is damaged"):
        read_json(tmp_path / MODEL_FILE)


@pytest.mark.parametrize(
    "preprocessing", [{"size": [32, 1.5]}, {"size": None}, {"size": [32, 0]}, {"mean": ["x"]}, {"resize": -1}]
)
def test_a_model_file_with_impossible_preprocessing_is_damaged(tmp_path, preprocessing):
    facts = {"classes": ["a", "b"], "multi_label": False, "activation": "softmax", "class_counts": [1, 1]}
    (tmp_path / MODEL_FILE).write_text(json.dumps({**facts, "preprocessing": preprocessing}))
    with pytest.raises(BadData, match=r"model\.json: is damaged"):
        read_json(tmp_path / MODEL_FILE)


def test_a_best_checkpoint_that_is_pruned_between_look_and_load(tmp_path, monkeypatch):
    save(tmp_path, 1)
    load, calls = checkpoint.load, []

    def late(path):
        calls.append(path.name)
        if len(calls) == 1:  # training moves on, just now
            for step in (2, 3, 4):
                save(tmp_path, step)
            checkpoint.prune(tmp_path / "checkpoints", keep=[4])
        return load(path)

    monkeypatch.setattr(checkpoint, "load", late)
    path, weights = best_weights(tmp_path)
    assert calls == ["step-0000001", "step-0000004"]
    assert (path.name, weights["w"].item()) == ("step-0000004", 4.0)


def test_a_best_checkpoint_that_is_gone_is_missing_and_not_another_one(tmp_path):
    save(tmp_path, 1)
    path = save(tmp_path, 2)
    path.rename(tmp_path / "elsewhere")
    with pytest.raises(MissingInput, match="the checkpoint step-0000002 is missing; restore it, or delete"):
        best_weights(tmp_path)
    (tmp_path / "best").unlink()
    assert best_weights(tmp_path)[0].name == "step-0000001"


@pytest.mark.parametrize("target", ["best", "/etc", "../x/step-0000001", "checkpoints/other"])
def test_a_best_link_that_leads_to_no_checkpoint_of_the_run(tmp_path, target):
    save(tmp_path, 1)
    (tmp_path / "best").unlink()
    (tmp_path / "best").symlink_to(target)
    with pytest.raises(BadData, match=r"best: points to .*, which is not a checkpoint of the run"):
        best_weights(tmp_path)


def test_a_copy_that_has_the_best_checkpoint_in_place_of_the_link(tmp_path):
    path = save(tmp_path, 1)
    save(tmp_path, 2)
    (tmp_path / "best").unlink()
    path.rename(tmp_path / "best")
    assert best_weights(tmp_path)[1]["w"].item() == 1.0


def test_no_checkpoint_is_missing_input(tmp_path):
    with pytest.raises(MissingInput, match="has no checkpoint yet"):
        best_weights(tmp_path)


def test_weights_that_do_not_fit_are_bad_data(tmp_path):
    weights = load_file(save(tmp_path, 1) / "model.safetensors")
    with pytest.raises(BadData, match=r"does not fit the network .*Unexpected key"):
        load_weights(torch.nn.Identity(), weights, tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"classes": 3}', "\x00" * 100])
def test_a_damaged_model_file_is_bad_data(tmp_path, text):
    save(tmp_path, 1)
    (tmp_path / "resolved.yaml").write_text("data: {train: digits}\nbackbone: {resnet20: {weights: none}}\n")
    (tmp_path / MODEL_FILE).write_text(text)
    with pytest.raises(BadData, match=r"model\.json: is damaged"):
        open_run(tmp_path)
    (tmp_path / MODEL_FILE).unlink()
    (tmp_path / MODEL_FILE).mkdir()
    with pytest.raises(BadData, match=r"model\.json: is damaged"):
        open_run(tmp_path)


def test_a_model_file_of_other_classes_is_bad_data(tmp_path):
    save(tmp_path, 1)
    (tmp_path / "resolved.yaml").write_text("data: {train: digits}\nbackbone: {resnet20: {weights: none}}\n")
    facts = {"classes": ["a", "b"], "multi_label": False, "activation": "softmax"}
    (tmp_path / MODEL_FILE).write_text(json.dumps({**facts, "preprocessing": {}, "class_counts": [1, 1]}))
    with pytest.raises(BadData, match="does not fit the network"):
        open_run(tmp_path)


def test_a_best_checkpoint_that_is_pruned_while_it_is_read(tmp_path, monkeypatch):
    save(tmp_path, 1)
    read, paths = checkpoint.load_file, []

    def late(path):
        paths.append(path.parent.name)
        if len(paths) == 1:  # its manifest has just been found right
            for step in (2, 3, 4):
                save(tmp_path, step)
            checkpoint.prune(tmp_path / "checkpoints", keep=[4])
        return read(path)

    monkeypatch.setattr(checkpoint, "load_file", late)
    assert best_weights(tmp_path)[1]["w"].item() == 4.0
    assert paths == ["step-0000001", "step-0000004"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("data: [", r"resolved\.yaml:1:\d+: "),
        ("data: {train: digits}\n", r"resolved\.yaml: missing key 'backbone'"),
        (
            "data: {train: digits}\nbackbone: {resnet20: {weights: none}}\nlr: {peak: fast}\n",
            r"resolved\.yaml:3:12: lr\.peak ",
        ),
        ('"\\ud800": 1\n', r"resolved\.yaml:1:1: the character U\+D800"),
        ("\0", r"resolved\.yaml: "),
    ],
)
def test_damaged_settings_are_an_error_with_their_place(tmp_path, text, words):
    (tmp_path / "resolved.yaml").write_text(text)
    with pytest.raises(ExperimentError, match=words):
        load_experiment(tmp_path)
