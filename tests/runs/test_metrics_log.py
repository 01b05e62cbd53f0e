import json
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from ftaug.engine.system.ranks import ALONE
from ftaug.engine.training.fit import Progress, Step
from ftaug.interfaces.model import TrainingLength
from ftaug.runs import metrics_log
from ftaug.runs.metrics_log import MetricsLog, evaluations


def state(*splits):
    return SimpleNamespace(
        splits=dict.fromkeys(splits),
        training_length=TrainingLength(8, 4),
        device=SimpleNamespace(torch=torch.device("cpu")),
        experiment=SimpleNamespace(loggers=()),
        ranks=ALONE,
    )


def step(number, loss, samples=2):
    return Step(number, 0, torch.tensor(loss), 0.1, samples, None, {})


@pytest.fixture
def rows():
    return []


@pytest.fixture
def folder(rows):
    return SimpleNamespace(append_metrics=lambda row: rows.append(json.loads(json.dumps(row))), path=Path("run"))


class Bar(SimpleNamespace):
    """A progress bar that keeps the lines of the log."""

    def __init__(self):
        super().__init__(lines=[], line_is_due=False, figures="")

    def advance(self):
        pass

    def log(self, figures, *, brief=None):
        self.lines.append((figures, brief))


def test_a_row_is_the_mean_over_the_samples_since_the_last(rows, folder, monkeypatch):
    monkeypatch.setattr(metrics_log, "is_recorded", lambda length, number: number % 2 == 0)
    clock = iter(range(100))
    monkeypatch.setattr(metrics_log, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    log = MetricsLog(state("train"), Progress(window_loss=3.0, window_samples=1), folder)  # continued within a window
    for taken in (step(1, 1.0), step(2, 2.0, samples=1), step(3, 5.0), step(4, 7.0)):
        with log.clock_stopped() if taken.number == 2 else nullcontext():
            pass
        log.log_step(taken, Bar())
    assert [(row["step"], row["loss"], row["samples"]) for row in rows] == [(2, (3 + 2 + 2) / 4, 4), (4, 6.0, 4)]
    assert rows[0]["time"]["samples_per_second"] == 1.5  # 3 of this process in 2 of 3 s
    assert rows[1]["epoch"] == 1.0


def test_an_evaluation_has_the_mean_training_loss_since_the_last():
    rows = [
        {"step": 2, "epoch": 0.5, "loss": 4.0, "samples": 3},
        {"step": 4, "epoch": 1.0, "loss": 2.0, "samples": 1},
        {"step": 4, "epoch": 1.0, "val": {"loss": 1.5}},
        {"step": 6, "epoch": 1.5, "loss": 1.0, "samples": 4},
    ]
    assert evaluations(rows, state("train", "val")) == [
        {"epoch": 1.0, "step": 4, "train_loss": 3.5, "metrics": {"loss": 1.5}}
    ]
    assert [row["train_loss"] for row in evaluations(rows[:2], state("train"))] == [3.5]


def test_lines_have_the_mean_since_the_last_and_end_epochs(rows, folder, monkeypatch):
    """Epochs of four steps: an evaluation ends the first, nothing the second; one line is due in between."""
    monkeypatch.setattr(metrics_log, "is_recorded", lambda length, number: True)
    seconds = [0.0]
    monkeypatch.setattr(metrics_log, "time", SimpleNamespace(monotonic=lambda: seconds[0]))
    progress, bar = Progress(), Bar()
    log = MetricsLog(state("train", "val"), progress, folder)
    for number in range(1, 9):
        progress.step = number
        seconds[0] += 0.5
        log.log_step(step(number, float(number)), bar)
        if number == 4:
            log.log_evaluation({"loss": 0.5, "accuracy": 0.75}, 1.0, True, bar)
        bar.line_is_due = number == 6
        log.log_epoch(bar)
    val = "val loss 0.5000, accuracy 0.7500 (best)"
    assert bar.lines == [
        (f"train loss 2.5000, lr 1.00e-01, 4 samples/s, {val}", f"epoch 1: train loss 2.5000, {val}"),
        ("train loss 5.5000, lr 1.00e-01, 4 samples/s", None),
        ("train loss 7.5000, lr 1.00e-01, 4 samples/s", "epoch 2: train loss 7.5000"),
    ]
    assert bar.figures == "loss 8.0000, lr 1.00e-01, 4 samples/s"
