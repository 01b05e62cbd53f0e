"""`ftaug pretrain`: a run without labels, and what is kept of it."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image
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


def test_a_pool_without_classes_is_pretrained_on(desk, tmp_path, capsys):
    pool = tmp_path / "pool"
    pool.mkdir()
    for path in (desk / "photos" / "test").rglob("*0.png"):
        shutil.copy(path, pool / f"{path.parent.name}-{path.name}")
    command = ["pretrain", str(desk / "colors.yaml"), f"data.train={{image_files: {{path: {pool}}}}}"]
    command += ["train.epochs=1", "--run-dir", str(tmp_path / "run"), "--device", "cpu"]
    assert run(command) == 0
    assert "the features are not compared: data.train does not have one class" in capsys.readouterr().err
    model = json.loads((tmp_path / "run" / "model.json").read_text())
    assert len(model["classes"]) == len(list(pool.iterdir())) == 3
    assert run(["train", *command[1:3]]) == 2
    assert "data.train needs labels, and image_files has none" in capsys.readouterr().err


def test_the_features_of_another_run_are_learned(pretrained, desk, tmp_path, capsys):
    folder, _ = pretrained
    objective = f"objective={{feature_distillation: {{teacher: {folder}, dimensions: 8}}}}"
    command = ["pretrain", str(desk / "colors.yaml"), objective, "train.epochs=1"]
    assert run([*command, "--run-dir", str(tmp_path / "run"), "--device", "cpu"]) == 0
    assert len(json.loads((tmp_path / "run" / "model.json").read_text())["classes"]) == 8
    assert run([*command[:2], objective.replace(str(folder), "none"), "--run-dir", str(tmp_path / "other")]) == 66
    assert "objective.feature_distillation.teacher: " in capsys.readouterr().err


def test_a_collapse_ends_with_exit_code_3(desk, tmp_path, capsys):
    pool = tmp_path / "pool"
    pool.mkdir()
    for number in range(8):  # which no network can tell apart
        Image.new("RGB", (32, 32), "gray").save(pool / f"{number}.png")
    command = ["pretrain", str(desk / "colors.yaml"), f"data.train={{image_files: {{path: {pool}}}}}"]
    command += ["objective={vicreg: {dimensions: 4}}", "augment=[horizontal_flip]", "train.epochs=2"]
    assert run([*command, "--run-dir", str(tmp_path / "run"), "--device", "cpu"]) == 3
    assert "training collapsed: all samples have the same embedding; raise objective" in capsys.readouterr().err
