"""`ftaug pretrain`: a run without labels, and what is kept of it."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file

from ftaug.cli import run
from ftaug.runs import pretraining


@pytest.fixture(scope="module")
def pretrained(desk, tmp_path_factory):
    """A pretraining that was stopped after training, before its features were measured."""
    folder = tmp_path_factory.mktemp("pretrained") / "run"
    command = ["pretrain", str(desk / "colors.yaml"), "train.epochs=1", "--run-dir", str(folder), "--device", "cpu"]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pretraining, "is_better", lambda difference: False)
        assert run(command) == 0
    return folder, command


def test_features_that_are_not_better_leave_the_initial_weights(pretrained, desk, tmp_path, capsys):
    folder, command = pretrained
    model = json.loads((folder / "model.json").read_text())
    assert len(model["classes"]) == model["train_samples"] == 60 and model["labels_learned"] is False
    assert model["data_task"]["classes"] == ["blue, mostly", "green", "red"]
    result = json.loads((folder / "pretraining.json").read_text())
    assert result["better"] is False and result["samples"] == 60
    complete = json.loads((folder / "complete.json").read_text())
    assert complete["best"] == 0 and (folder / "best").resolve().name == "step-0000000"
    last = folder / "checkpoints" / f"step-{complete['step']:07d}"
    initial, trained = load_file(folder / "best" / "model.safetensors"), load_file(last / "model.safetensors")
    assert any((initial[name] != trained[name]).any() for name in initial)
    assert run(command) == 0  # is not trained again
    assert capsys.readouterr().out == f"{folder}\n"
    assert run(["verify", str(folder)]) == 0
    task = tmp_path / "task"
    arguments = ["train", str(desk / "colors.yaml"), "--from", str(folder), "--run-dir", str(task), "--device", "cpu"]
    assert run([*arguments, "train.epochs=1", "~data.test", "--no-report"]) == 0
    start = json.loads((task / "model.json").read_text())
    assert start["classes"] == ["blue, mostly", "green", "red"]


def test_features_that_are_better_are_kept(pretrained, monkeypatch, capsys):
    folder, command = pretrained
    (folder / "pretraining.json").unlink()
    step = json.loads((folder / "complete.json").read_text())["step"]
    (folder / "best").unlink()
    (folder / "best").symlink_to(f"checkpoints/step-{step:07d}")
    monkeypatch.setattr(pretraining, "is_better", lambda difference: True)
    assert run([*command, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["better"] and (folder / "best").resolve().name == f"step-{step:07d}"
    assert 0 <= result["difference"]["before"] <= 1
    assert np.isclose(result["difference"]["value"], result["difference"]["after"] - result["difference"]["before"])
