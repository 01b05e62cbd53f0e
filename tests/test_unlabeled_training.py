"""Training with samples without labels: killed and resumed, with other numbers of workers and of processes."""

import os
import subprocess
import sys
from functools import partial

import pytest
from processes import in_child
from run_bits import differing, run_bits
from safetensors.numpy import load_file

from ftaug.cli import run
from ftaug.runs import training

EXPERIMENT = """
name: pool
data:
  train: {digits: {per_class: 2}}
  val: null
  unlabeled: {digits: {per_class: 2}}
  batch_size: 8
  parts: 2
  workers: 0
backbone: {resnet20: {weights: none}}
augment: [{rotate: {degrees: 15}}, trivial_augment]
lr: {peak: 3e-3}
train: {epochs: 3, precision: fp32, save_every: 2 steps}
"""
SOFT_MATCH = ("train", "objective={soft_match: {ramp: 0}}", "data.val={digits: {per_class: 1}}")
CASES = {
    "soft_match": SOFT_MATCH,
    "soft_match, micro-batches": (*SOFT_MATCH, "objective.soft_match.ratio=3", "train.micro_batch=3"),
    "instance": ("pretrain",),
    "feature_distillation": ("pretrain", "objective={feature_distillation: {teacher: teacher, stored_views: 2}}"),
    "vicreg": ("pretrain", "objective={vicreg: {dimensions: 8}}"),
    "simclr": ("pretrain", "objective={simclr: {dimensions: 8}}"),
}
SLOW = [pytest.param(name, marks=[] if name == "soft_match" else pytest.mark.slow) for name in CASES]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with the experiment."""
    (tmp_path / "pool.yaml").write_text(EXPERIMENT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def teacher(case):
    """Train the teacher of a case."""
    if case == "feature_distillation":
        command = ["train", "pool.yaml", "data.unlabeled=null", "train.epochs=1", "--run-dir", "teacher", "--no-report"]
        assert in_child(partial(run, command)) == 0


def bits(run):
    """The results of a run; the file of its best weights also says by how many workers."""
    weights = load_file(run / "best" / "model.safetensors")
    return {**run_bits(run), "best": {name: tensor.tobytes() for name, tensor in weights.items()}}


def line(case, name, *options):
    verb, *settings = CASES[case]
    report = ["--no-report"] if verb == "train" else []
    return [verb, "pool.yaml", *settings, *options, *report, "--run-dir", name, "--device", "cpu"]


def killed_after(steps, arguments):
    """Run a command in this process, which ends as if it were killed after so many steps."""
    timed = training.timed

    def ending(taken):
        for number, step in enumerate(timed(taken), start=1):
            yield step
            if number == steps:
                os._exit(9)

    training.timed = ending
    return run(arguments)


@pytest.mark.parametrize("case", SLOW)
def test_killed_and_resumed_with_other_workers_it_ends_with_the_same_bits(case, place):
    teacher(case)
    assert in_child(partial(run, line(case, "whole"))) == 0
    for steps in (3, 1):
        assert in_child(partial(killed_after, steps, line(case, "killed"))) == 9
    assert in_child(partial(run, line(case, "killed", "data.workers=3"))) == 0
    assert differing(bits(place / "whole"), bits(place / "killed")) == []


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_two_processes_end_with_the_same_bits(case, place):
    teacher(case)
    assert in_child(partial(run, line(case, "whole"))) == 0
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "ftaug", *line(case, "ranks", "--processes", "2")]
    assert subprocess.run(command, env=environment, check=False).returncode == 0
    assert differing(bits(place / "whole"), bits(place / "ranks")) == []
