"""Learning from another run: the same bits however often it is killed, and what cannot teach is refused."""

import json
import shutil
from pathlib import Path

import pytest

from ftaug.cli import run
from ftaug.config.dump import digest
from ftaug.engine.training.fit import fit
from ftaug.experiment_file import load
from ftaug.runs import training

TEACHER = """
data: {train: {digits: {per_class: 3}}, val: {split: 33%}, batch_size: 10, workers: 0}
backbone: {resnet20: {weights: none}}
train: {epochs: 2, precision: fp32}
"""
STUDENT = """
data: {train: {digits: {per_class: 3}}, val: null, batch_size: 10, workers: 0, sampler: square_root}
backbone: {resnet20: {weights: none}}
augment: [rotate]
mix: mixup
distillation: {teacher: teacher, temperature: 3, weight: 0.7}
train: {epochs: 2, precision: fp32, save_every: 2 steps}
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("desk")
    for name, text in (("teacher", TEACHER), ("student", STUDENT)):
        (folder / f"{name}.yaml").write_text(text)
    assert train(folder, "teacher") == 0
    return folder


def train(folder: Path, name: str, *overrides: str, into: str = "") -> int:
    line = ["train", str(folder / f"{name}.yaml"), *overrides, "--run-dir", str(folder / (into or name))]
    return run([*line, "--device", "cpu"])


@pytest.fixture(scope="module")
def whole(desk):
    assert train(desk, "student", into="whole") == 0
    return desk / "whole"


def result(folder: Path) -> dict:
    last = sorted((folder / "checkpoints").iterdir())[-1]
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    for row in rows:
        row.pop("time", None)
    return {**{path.name: path.read_bytes() for path in last.glob("*.safetensors")}, "rows": rows}


def test_a_run_that_was_cut_off_ends_with_the_same_bits(desk, whole, monkeypatch):
    def dying(state, progress):
        for step in fit(state, progress):
            yield step
            if step.number == 3:
                raise KeyboardInterrupt

    monkeypatch.setattr(training, "fit", dying)
    assert train(desk, "student", into="cut") == 130
    assert not (desk / "cut" / "complete.json").exists()
    monkeypatch.undo()
    assert train(desk, "student", into="cut") == 0
    assert result(desk / "cut") == result(whole)


def test_the_teacher_has_a_say(desk, whole):
    assert train(desk, "student", "~distillation", into="alone") == 0
    assert result(desk / "alone")["model.safetensors"] != result(whole)["model.safetensors"]


def test_the_screen_says_who_teaches_and_how_often_classes_are_seen(desk, capsys):
    assert train(desk, "student", "train.epochs=1", into="shown") == 0
    shown = capsys.readouterr().err
    assert f"{desk / 'teacher'}, weight 0.7" in shown
    assert "square_root, visits of each class an epoch: 0 3 → 3, 1 3 → 3" in shown


def test_the_digest_goes_by_the_teachers_weights_not_by_its_place(desk):
    shutil.copytree(desk / "teacher", desk / "moved", symlinks=True)
    here, there = (load(desk / "student.yaml", [f"distillation.teacher={name}"]) for name in ("teacher", "moved"))
    assert digest(here) == digest(there)
    manifest = (desk / "moved" / "best").resolve() / "manifest.json"
    content = json.loads(manifest.read_text())
    content["files"]["model.safetensors"]["sha256"] = "0" * 64
    manifest.write_text(json.dumps(content))
    assert digest(here) != digest(there)


def test_another_teacher_does_not_continue_the_run(desk, whole, capsys):
    assert train(desk, "teacher", "seed=1", into="other") == 0
    assert train(desk, "student", "distillation.teacher=other", into="whole") == 2
    errors = capsys.readouterr().err
    assert "holds another experiment: use --fresh or another --run-dir" in errors
    assert "distillation.teacher: " in errors


def test_a_student_can_be_of_another_size(desk):
    larger = ["backbone={timm/test_resnet: {weights: none}}", "train.epochs=1", "data.batch_size=15"]
    assert train(desk, "student", *larger, into="larger") == 0


@pytest.mark.parametrize(
    ("overrides", "code", "words"),
    [
        (["distillation.teacher=nowhere"], 66, "not a run folder with a best checkpoint"),
        (
            ["distillation.weight=0"],
            2,
            "distillation.weight must be greater than 0, or the teacher has no effect; got 0",
        ),
        (["distillation.temperature=0"], 2, "distillation.temperature must be a number above 0, or null; got 0"),
        (["distillation={}"], 2, "missing key 'teacher' in distillation"),
        (["distillation.teachers=x"], 2, "unknown key 'teachers' in distillation; did you mean 'teacher'?"),
        (
            ["mix=null", "objective=r_drop"],
            2,
            "student.yaml:6:15: distillation and objective cannot be combined: both define the training loss",
        ),
        (
            ["data.train=printed_letters"],
            2,
            "student.yaml:6:15: distillation.teacher: its classes are 0, 1, 2, 3, 4, 5, 6, 7",
        ),
    ],
)
def test_what_cannot_teach_is_refused_before_training(desk, overrides, code, words, capsys):
    assert train(desk, "student", *overrides, into="refused") == code
    assert words in capsys.readouterr().err
    assert not (desk / "refused").exists()


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (
            ["data.sampler=balanced", "loss={focal: {class_weights: balanced}}"],
            "data.sampler balanced leaves focal with class_weights: balanced without effect",
        ),
        (
            ["data.sampler=balanced", "loss=logit_adjusted"],
            "data.sampler balanced leaves logit_adjusted without effect",
        ),
        (["data.sampler=balanced", "data.order=shards"], "data.order cannot be combined with data.sampler"),
        (["data.sampler=balance"], "no sampler 'balance'; did you mean 'balanced'?"),
    ],
)
def test_imbalance_is_mended_once(desk, overrides, words, capsys):
    assert train(desk, "student", *overrides, into="refused") == 2
    assert words in capsys.readouterr().err
