"""A logger that fails is left out with one warning, and training goes on; figures have the tags of the field."""

import csv
import json
import logging
from types import SimpleNamespace

import pytest

from ftaug.cli import run
from ftaug.errors import Stopped, Unavailable
from ftaug.runs import run_loggers
from ftaug.runs.run_loggers import RunLoggers, tagged

EXPERIMENT = """
data: {train: {digits: {per_class: 3}}, val: {split: 33%}, batch_size: 10, workers: 0}
backbone: {resnet20: {weights: none}}
train: {epochs: 2}
loggers: [tensorboard, csv]
"""


class Fake:
    """A logger that remembers its calls, and fails in some."""

    def __init__(self, *failing):
        self.failing, self.calls = failing, []

    def __getattr__(self, name):
        def call(*arguments):
            self.calls.append((name, *arguments))
            if name in self.failing:
                raise OSError("no route to host\nand more")

        return call


def opened(monkeypatch, tmp_path, *fakes):
    """RunLoggers with these; an exception is raised when its logger is opened."""

    def component(number, fake):
        def open_logger(run):
            if isinstance(fake, Exception):
                raise fake
            return fake

        open_logger.name = f"fake{number}"
        return open_logger

    monkeypatch.setattr(run_loggers, "to_plain", lambda experiment: {})
    loggers = [component(number, fake) for number, fake in enumerate(fakes)]
    return RunLoggers(SimpleNamespace(loggers=loggers), tmp_path / "run", 0)


ROW = {"step": 4, "epoch": 0.5, "loss": 2.0, "lr": 0.1, "gradient_norm": 3.0, "time": {"samples_per_second": 9.0}}


def test_tags():
    assert tagged(ROW) == {
        "epoch": 0.5, "train/loss": 2.0, "train/gradient_norm": 3.0, "lr": 0.1, "samples_per_second": 9.0
    }  # fmt: skip
    assert tagged({"step": 8, "epoch": 1.0, "val": {"loss": 1.0, "accuracy": 0.5}, "time": {"seconds": 1}}) == {
        "epoch": 1.0,
        "val/loss": 1.0,
        "val/accuracy": 0.5,
    }


@pytest.mark.parametrize("failing", ["log", "image", "close"])
def test_a_failing_logger_is_left_out_with_one_warning(monkeypatch, tmp_path, caplog, failing):
    bad, good = Fake(failing), Fake()
    with caplog.at_level(logging.WARNING), opened(monkeypatch, tmp_path, bad, good) as loggers:
        for _ in range(3):
            loggers.log_row(ROW)
            loggers.image("curves", tmp_path / "curves.png")
    assert caplog.messages == ["logger fake0 failed and is left out; training goes on (OSError: no route to host)"]
    assert [call[0] for call in good.calls] == ["log", "image"] * 3 + ["close"]
    assert [call[0] for call in bad.calls].count(failing) == 1


def test_a_logger_that_cannot_be_opened_is_left_out_unless_it_is_not_installed(monkeypatch, tmp_path, caplog):
    good = Fake()
    loggers = opened(monkeypatch, tmp_path, ValueError("no server"), good)
    assert caplog.messages == ["logger fake0 failed and is left out; training goes on (ValueError: no server)"]
    loggers.log_row(ROW)
    assert good.calls == [("log", 4, tagged(ROW))]
    with pytest.raises(Unavailable):
        opened(monkeypatch, tmp_path, Unavailable("needs wandb"))


@pytest.mark.parametrize(
    ("error", "status"),
    [(None, "finished"), (Stopped("x"), "stopped"), (KeyboardInterrupt(), "stopped"), (ValueError(), "failed")],
)
def test_the_status_at_the_end(monkeypatch, tmp_path, error, status):
    fake = Fake()
    opened(monkeypatch, tmp_path, fake).__exit__(type(error), error, None)
    assert fake.calls == [("close", status)]


def test_training_logs_its_rows_and_plots(tmp_path, capsys):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (tmp_path / "a.yaml").write_text(EXPERIMENT)
    assert run(["train", str(tmp_path / "a.yaml"), "--run-dir", str(tmp_path / "run")]) == 0
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard")).Reload()
    losses = [(event.step, event.value) for event in events.Scalars("train/loss")]
    assert losses == [(row["step"], pytest.approx(row["loss"])) for row in rows if "loss" in row]
    accuracies = [event.value for event in events.Scalars("val/accuracy")]
    assert accuracies == pytest.approx([row["val"]["accuracy"] for row in rows if "val" in row])
    assert {"curves", "confusion-val"} <= set(events.Tags()["images"])
    with (tmp_path / "run" / "metrics.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [float(row["val/accuracy"]) for row in table if row["val/accuracy"]] == pytest.approx(accuracies)
    assert [int(row["step"]) for row in table] == [row["step"] for row in rows if "loss" in row]
    run_again = ["train", str(tmp_path / "a.yaml"), "loggers=[]", "--run-dir", str(tmp_path / "run")]
    assert run(run_again) == 0  # loggers are no part of the experiment's hash
    assert "already complete" in capsys.readouterr().err
