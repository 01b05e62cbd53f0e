"""Run folders with the former names of an earlier version are continued, evaluated and exported."""

import json
import shutil
from pathlib import Path

import pytest

from ftaug.cli import run
from ftaug.runs import train_file

EXPERIMENT = """
data: {train: {digits: {per_class: 3}}, val: {split: 33%}, batch_size: 5, workers: 0, augment_device: cpu}
backbone: {resnet20: {weights: none}}
augment: [color_jitter]
train: {epochs: 2, precision: fp32, gradient_accumulation: 2, save_every: 1 epoch}
evaluate: {metrics: [ece], tta: flip}
"""
FORMER = {
    "  augment_device:": "  augment_on:",
    "  gradient_accumulation:": "  accumulate:",
    "- color_jitter:": "- colour_jitter:",
    "- ece:": "- calibration_error:",
    "  best: ece": "  best: calibration_error",
    "  tta:": "  views:",
    "distillation: null": "distil: null",
}


def with_former_names(folder: Path) -> None:
    """Change the files of a run folder to what an earlier version would have written."""
    text = (folder / "resolved.yaml").read_text()
    for now, former in FORMER.items():
        assert text.count(now) == 1
        text = text.replace(now, former)
    (folder / "resolved.yaml").write_text(text)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with a finished run and the beginning of the same one, both by an earlier version."""
    place = tmp_path_factory.mktemp("desk")
    (place / "a.yaml").write_text(EXPERIMENT)
    command = ["train", str(place / "a.yaml"), "--device", "cpu"]
    assert run([*command, "--run-dir", str(place / "whole")]) == 0
    with pytest.MonkeyPatch.context() as patch:  # the digest covers the names of the keys
        patch.setattr(train_file, "digest", lambda experiment: "01234567")
        assert run([*command, "--run-dir", str(place / "begun"), "train.max_time=1e-9"]) == 75
    for name in ("whole", "begun"):
        with_former_names(place / name)
    return place


def test_it_is_continued_as_if_it_had_not_been_stopped(desk, tmp_path):
    shutil.copytree(desk / "begun", tmp_path / "run", symlinks=True)
    assert run(["train", str(tmp_path / "run"), "~train.max_time", "--device", "cpu"]) == 0
    weights = [(folder / "best" / "model.safetensors").read_bytes() for folder in (desk / "whole", tmp_path / "run")]
    assert weights[0] == weights[1]
    resolved = (tmp_path / "run" / "resolved.yaml").read_text()
    assert all(now in resolved and former not in resolved for now, former in FORMER.items())


def test_it_is_evaluated_and_exported(desk):
    assert run(["evaluate", str(desk / "whole")]) == 0
    report = json.loads((desk / "whole" / "report" / "evaluate-val.json").read_text())
    assert report["metrics"]["ece"] == pytest.approx(
        json.loads((desk / "whole" / "complete.json").read_text())["metrics"]["ece"], abs=1e-6
    )
    assert run(["export", str(desk / "whole"), "--format", "safetensors"]) == 0


def test_the_command_that_began_it_says_how_it_continues(desk, capsys):
    assert run(["train", str(desk / "a.yaml"), "~augment", "--run-dir", str(desk / "begun")]) == 2
    assert "augment.0.colour_jitter.brightness: 0.4 → not set" in capsys.readouterr().err
    text = (desk / "begun" / "resolved.yaml").read_text()
    (desk / "begun" / "resolved.yaml").write_text(text.replace("colour_jitter", "color_jitter"))
    assert run(["train", str(desk / "a.yaml"), "--run-dir", str(desk / "begun")]) == 2
    assert f"`ftaug train {desk / 'begun'}` continues it as it began" in capsys.readouterr().err
