"""Which checkpoint `ftaug train` calls the best, by the scores of a metric that says what it is told to."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from ftaug.cli import run
from ftaug.config.kinds import metric
from ftaug.engine.training.fit import Progress
from ftaug.experiment_file import import_components, load
from ftaug.runs.best_checkpoint import outcome, rule

EXPERIMENT = """
plugins: [PLUGIN.py]
data: {train: {digits: {per_class: 2}}, val: {split: 10}, batch_size: 5, workers: 0}
backbone: {resnet20: {weights: none}}
lr: {peak: 1e-3, schedule: constant}
train: {epochs: 4, precision: fp32}
evaluate: {metrics: [PLUGIN]}
"""
METRIC = '''
import numpy as np
from ftaug.config.kinds import metric
from ftaug.interfaces import Task

SCORES = iter(VALUES)

@metric.register
def PLUGIN(probabilities: np.ndarray, targets: np.ndarray, task: Task) -> float:
    """The next of a list; the first is that of the check before training."""
    return next(SCORES)
'''


@pytest.fixture
def train(tmp_path, request, capsys, monkeypatch):
    """Train by scores; returns the folder, the rows of the evaluations, the closing output and the exit code."""
    import_components("image")  # before the copy, which would take them along
    monkeypatch.setattr(metric, "_entries", dict(metric._entries))  # which forget the scores afterwards
    count = 0

    def trained(scores, *overrides):
        nonlocal count
        count += 1
        name = f"scripted_{request.node.name}_{count}"
        values = repr([0.5, *scores]).replace("nan", "float('nan')")
        (tmp_path / f"{name}.py").write_text(METRIC.replace("VALUES", values).replace("PLUGIN", name))
        (tmp_path / "a.yaml").write_text(EXPERIMENT.replace("PLUGIN", name))
        folder = tmp_path / name
        code = run(["train", str(tmp_path / "a.yaml"), "--run-dir", str(folder), "--device", "cpu", *overrides])
        rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        return SimpleNamespace(
            code=code,
            folder=folder,
            evaluations=[row for row in rows if "val" in row],
            best=int((folder / "best").resolve().name.rpartition("-")[2]),
            said=capsys.readouterr().err,
        )

    return trained


NAN = float("nan")


def test_a_first_score_that_is_not_a_number_does_not_stay_the_best(train):
    done = train([NAN, 0.2, 0.3, 0.1])
    assert done.code == 0 and done.best == done.evaluations[2]["step"]


def test_equal_scores_go_by_the_loss(train):
    done = train([0.5, 0.5, 0.5, 0.5])
    losses = {row["step"]: row["val"]["loss"] for row in done.evaluations}
    assert done.best == min(losses, key=losses.get)
    assert len(set(losses.values())) == 4


def test_without_any_number_the_last_checkpoint_is_the_best(train):
    done = train([NAN] * 4)
    assert done.best == done.evaluations[-1]["step"]
    assert "the last checkpoint: no evaluation gave a number for scripted_" in done.said


def test_scores_that_are_not_numbers_are_no_progress(train):
    done = train([0.5, NAN, NAN, 0.9], "train.early_stop={patience: 2}")
    assert len(done.evaluations) == 3 and done.best == done.evaluations[0]["step"]
    assert "stopped early" in done.said


def test_progress_of_a_run_begun_before_is_read():
    assert Progress(**{"step": 3, "scores": [0.5], "evaluated": 3, "best_step": 3}).losses == []


def state(tmp_path, samples, text=""):
    (tmp_path / "a.yaml").write_text(f"data: {{train: digits}}\nbackbone: resnet20\n{text}")
    task = SimpleNamespace(kind="single_label")
    val = np.zeros(samples)
    return SimpleNamespace(experiment=load(tmp_path / "a.yaml"), task=task, splits={"val": val})


def test_the_rule_and_what_few_samples_can_tell(tmp_path):
    assert rule(state(tmp_path, 23)) == (
        "auto → accuracy (one class a sample), ties by the lower loss; "
        "23 validation samples: 90 % there means 72 to 97 % (95 % interval)"
    )
    assert rule(state(tmp_path, 5000, "evaluate: {metrics: [f1]}\n")) == "f1, ties by the lower loss"
    assert rule(state(tmp_path, 23, "evaluate: {best: loss}\n")) == "the lowest validation loss"


def test_the_outcome_has_the_interval_of_the_best(tmp_path):
    progress = Progress(step=9, scores=[0.5, 0.9], losses=[1.0, 0.4], best_step=9)
    best = {"step": 9, "metrics": {"loss": 0.4, "accuracy": 21 / 23}}
    said = outcome(state(tmp_path, 23), progress, best)
    assert said.startswith("step 9 (loss 0.4000, accuracy 0.9130); accuracy on 23 ")
    assert "73 to 98 %" in said and "2 evaluations" in said
    assert outcome(state(tmp_path, 5000), progress, best) == "step 9 (loss 0.4000, accuracy 0.9130)"
    single = outcome(state(tmp_path, 23), Progress(step=9, scores=[0.9], losses=[0.4], best_step=9), best)
    assert single.endswith("has the 95 % interval 73 to 98 %")  # nothing was chosen
