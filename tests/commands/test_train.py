"""`ftaug train`: what it leaves behind, and where it starts from."""

import io
import json
import multiprocessing
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ftaug.cli import run
from ftaug.engine.system import checkpoint
from ftaug.engine.training import evaluate
from ftaug.runs import metrics_log, train_session, training

EXPERIMENT = """
data: {train: {digits: {per_class: 3}}, val: {split: 33%}, batch_size: 10, workers: 0}
backbone: {resnet20: {weights: none}}
train: {epochs: 2}
"""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text(EXPERIMENT)
    return tmp_path


@pytest.mark.usefixtures("drawn_plots")
def test_stdout_ends_with_the_run_folder(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "a.yaml"]) == 0
    folder = Path(capsys.readouterr().out.splitlines()[-1])
    assert json.loads((folder / "complete.json").read_text())["step"] == 4
    for plot in ("curves", "moved"):
        assert (folder / "report" / f"{plot}.png").stat().st_size > 5000
    assert run(["train", "a.yaml", "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["run"] == str(folder)
    assert "already complete" in captured.err


def test_the_log_has_a_line_an_epoch_and_the_summary_with_times_of_day(
    desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTAUG_TIMESTAMPS", "0")  # the command sets it for the rest of the process
    assert run(["train", "a.yaml", "--run-dir", "r", "evaluate.every=2 epochs", "--timestamps"]) == 0
    err = capsys.readouterr().err.splitlines()
    assert all(re.match(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d( |$)", line) for line in err)
    said = [line[20:] for line in err if line[20:]]
    logged = [line.split(" INFO ", 1)[1] for line in Path("r/train.log").read_text().splitlines()]
    assert logged[0].startswith("attempt 1,") and logged[1:] == said
    first, second = (line for line in said if line.startswith("epoch ") and "step" in line.split(":")[0])
    figures = r"train loss \d+\.\d{4}, lr \d\.\d\de-\d\d, [\d,]+ samples/s"
    assert re.fullmatch(rf"epoch 1/2, step 2/4: {figures}, about 0:00:0\d left", first)
    assert re.fullmatch(rf"epoch 2/2, step 4/4: {figures}, val loss .* \(best\), about 0:00:00 left", second)
    total = next(line for line in said if line.startswith("total time"))
    assert re.fullmatch(r"total time \d:\d\d:\d\d: training 0:00:0\d \([\d,]+ samples/s\), evaluation 0:00:\d\d", total)
    assert said[-3:] == ["  ftaug evaluate r", "  ftaug predict r INPUT", "  ftaug export r --format onnx"]


STOPPED = ("train.max_time=1e-9",)


def test_fresh_with_a_stop_continues_what_it_began(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = []
    for stop in (STOPPED, STOPPED, (), ()):
        run(["train", "a.yaml", "--run-dir", "r", "--fresh", *stop])
        names.append(sorted(path.name for path in desk.iterdir() if path.is_dir()))
    assert names == [["r"], ["r"], ["r"], ["r", "r-2"]]
    assert Path("r/complete.json").is_file()


def test_folds_that_fresh_began_and_a_stop_ended_continue(desk: Path) -> None:
    command = ["train", "a.yaml", "--folds", "2", "--run-dir", "r", "--fresh", "~data.val", "train.epochs=1"]
    assert run([*command, *STOPPED]) == 75
    assert run(command) == 0
    assert [path.name for path in desk.iterdir() if path.is_dir()] == ["r"]


def test_a_run_folder_continues_where_it_is(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "a.yaml", "--run-dir", "r", *STOPPED]) == 75
    assert run(["train", "r", "lr.peak=1"]) == 2
    assert "lr.peak: 0.001 → 1.0" in capsys.readouterr().err
    assert run(["train", "r", "~train.max_time"]) == 0
    assert capsys.readouterr().out == "r\n"
    assert run(["train", "a.yaml", "--run-dir", "r"]) == 0
    assert "already complete" in capsys.readouterr().err


def test_an_experiment_comes_from_standard_input(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def piped(text: str, *arguments: str) -> int:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        return run([*arguments])

    assert piped(EXPERIMENT, "train", "-", *STOPPED) == 75
    (folder,) = Path("runs").iterdir()
    assert folder.name.startswith("experiment-")
    assert (folder / "experiment.yaml").read_text() == EXPERIMENT
    capsys.readouterr()
    assert piped(EXPERIMENT, "validate", "-", *STOPPED, "--json") == 0
    assert folder.name == f"experiment-{json.loads(capsys.readouterr().out)['digest']}"
    assert piped("seed: 1\nsede: 2\n", "validate", "-") == 2
    assert "standard input:2:1: unknown key 'sede'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("override", "code", "message"),
    [
        ("data.train={image_folder: {path: nowhere}}", 66, "no folder"),
        ("backbone.resnet20.weights=missing.pth", 66, "no weights file"),
        ("unfreeze=[layr3, head]", 2, "did you mean 'layer3'"),
    ],
)
def test_a_run_that_cannot_begin_leaves_nothing(
    desk: Path, capsys: pytest.CaptureFixture[str], override: str, code: int, message: str
) -> None:
    assert run(["train", "a.yaml", override]) == code
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""
    assert [path.name for path in desk.iterdir()] == ["a.yaml"]


def test_a_folder_that_was_there_stays(desk: Path) -> None:
    Path("mine").mkdir()
    assert run(["train", "a.yaml", "--run-dir", "mine", "backbone.resnet20.weights=missing.pth"]) == 66
    assert Path("mine").is_dir()


def test_from_starts_with_the_weights_and_the_head_of_another_run(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", "a.yaml", "--run-dir", "first"]) == 0
    assert run(["train", "a.yaml", "--run-dir", "second", "--from", "first", "lr.peak=1e-12", "unfreeze=[head]"]) == 0
    first, second = (
        json.loads(Path(folder, "metrics.jsonl").read_text().splitlines()[-1]) for folder in ("first", "second")
    )
    assert second["val"]["loss"] == pytest.approx(first["val"]["loss"], rel=1e-4)


def test_a_required_result_that_is_not_reached_is_exit_5(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "a.yaml", "--require", "accuracy>=1.01"]) == 5
    assert "required accuracy >= 1.01, reached" in capsys.readouterr().err
    assert run(["train", "a.yaml", "--require", "accuracy>=0"]) == 0


@pytest.mark.parametrize(
    ("required", "overrides", "message"),
    [
        ("acuracy>=0", [], "is not measured; did you mean 'accuracy'?"),
        ("f1>=0", [], "is not measured; there is accuracy or loss"),
        ("accuracy>=0", ["evaluate.metrics=[f1]", "evaluate.best=f1"], "is not measured; there is f1 or loss"),
        ("accuracy>=0", ["data.val=null"], "nothing is measured without data.val"),
    ],
)
def test_a_required_value_that_is_not_measured_is_said_before_training(
    desk: Path, capsys: pytest.CaptureFixture[str], required: str, overrides: list[str], message: str
) -> None:
    assert run(["train", "a.yaml", *overrides, "--require", required]) == 2
    assert message in capsys.readouterr().err
    assert [path.name for path in desk.iterdir()] == ["a.yaml"]


def test_what_cannot_be_meant_is_a_caution(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny = ["data.batch_size=64", "train.epochs=1"]
    assert run(["train", "a.yaml", "unfreeze=[head]", *tiny]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "a batch of 64 is larger than the 20 training samples: an epoch is one step" in said
    assert "269,072 of 269,722 parameters are random (weights: none) and never trained" in said
    assert run(["train", "a.yaml", "train.epochs=1"]) == 0
    assert "caution" not in capsys.readouterr().err


def test_a_disk_too_full_for_checkpoints_is_said_before_training(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    usage = checkpoint.shutil.disk_usage(desk)
    monkeypatch.setattr(checkpoint.shutil, "disk_usage", lambda path: usage._replace(free=8_000_000))
    assert run(["train", "a.yaml", "--run-dir", "run"]) == 74
    expected = "8 MB free, and checkpoints take 13 MB; free some space, or choose another --run-dir"
    assert expected in capsys.readouterr().err
    assert not Path("run").exists()
    monkeypatch.setattr(checkpoint.shutil, "disk_usage", lambda path: usage._replace(free=14_000_000))
    assert run(["train", "a.yaml", "--run-dir", "run"]) == 0


def test_metrics_that_are_damaged_between_two_starts_are_restored(desk: Path) -> None:
    assert run(["train", "a.yaml", "--run-dir", "r"]) == 0
    metrics, complete = Path("r/metrics.jsonl"), Path("r/complete.json")
    rows, done = metrics.read_bytes(), complete.read_bytes()
    metrics.write_bytes(rows[: len(rows) // 2])
    complete.unlink()
    assert run(["train", "a.yaml", "--run-dir", "r"]) == 0
    assert (metrics.read_bytes(), complete.read_bytes()) == (rows, done)


def test_checkpoints_that_are_gone_are_no_silent_new_start(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "a.yaml", "--run-dir", "r"]) == 0
    Path("r/complete.json").unlink()
    shutil.rmtree("r/checkpoints")
    assert run(["train", "a.yaml", "--run-dir", "r"]) == 65
    assert "its checkpoints are missing; restore them" in capsys.readouterr().err


def test_a_run_that_diverges_keeps_its_metrics(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "a.yaml", "lr={peak: 1e30, schedule: constant}", "train.epochs=20", "--run-dir", "r"]) == 3
    assert "training diverged: the loss of step" in capsys.readouterr().err
    assert json.loads(Path("r/metrics.jsonl").read_text().splitlines()[0])["step"] == 1


def test_a_job_with_a_minute_left_trains_until_saving_needs_the_rest(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save = train_session.Session.save

    def slow(self: train_session.Session) -> None:
        save(self)
        self.save_seconds = 1800.0

    monkeypatch.setenv("SLURM_JOB_END_TIME", str(int(time.time() + 3600)))
    with monkeypatch.context() as patched:
        patched.setattr(train_session.Session, "save", slow)
        assert run(["train", "a.yaml", "--run-dir", "r", "train.save_every=1 steps"]) == 75
    assert "stopped by time limit at step 2 of 4" in capsys.readouterr().err
    monkeypatch.setenv("SLURM_JOB_END_TIME", str(int(time.time() + 100)))  # less than the two minutes of before
    assert run(["train", "a.yaml", "--run-dir", "r"]) == 0


def test_the_speed_of_training_leaves_evaluations_out(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    late, gather, now = [0.0], evaluate.predict_all, time.monotonic

    def slow(*given: Any, **named: Any) -> Any:
        late[0] += 1e6
        return gather(*given, **named)

    for module in (metrics_log, train_session):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now() + late[0]))
    monkeypatch.setattr(evaluate, "predict_all", slow)
    assert run(["train", "a.yaml", "--run-dir", "r"]) == 0
    rows = [json.loads(line) for line in Path("r/metrics.jsonl").read_text().splitlines()]
    assert [row["time"]["seconds"] > 1e6 for row in rows if "val" in row] == [True, True]
    assert [row["time"]["samples_per_second"] > 0.01 for row in rows if "loss" in row] == [True] * 4


def test_the_speed_after_a_stop_counts_no_samples_from_before(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, last, fit = [0.0], [3], training.fit

    def second(*given: Any) -> Iterator[Any]:
        for step in fit(*given):
            clock[0] += 1
            if step.number == last[0]:
                signal.raise_signal(signal.SIGTERM)
            yield step

    for module in (metrics_log, train_session, training):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(training, "fit", second)
    line = ["train", "a.yaml", "data.train.digits.per_class=12", "data.batch_size=2", "--run-dir", "r"]
    assert run(line) == 75
    last[0] = 10
    assert run(line) == 75
    rows = [json.loads(text) for text in Path("r/metrics.jsonl").read_text().splitlines()]
    assert [(row["step"], row["samples"], row["time"]["samples_per_second"]) for row in rows] == [
        (step, 4, 2.0) for step in (2, 4, 6, 8, 10)
    ]


@pytest.mark.filterwarnings("error:This DataLoader")
def test_more_workers_than_cores_are_told_once(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    many = len(os.sched_getaffinity(0)) + 1
    assert run(["train", "a.yaml", f"data.workers={many}", "train.epochs=1", "--run-dir", "r"]) == 0
    assert f"{many} workers (more than the " in capsys.readouterr().err


DYING = """
import multiprocessing, os, signal
from ftaug.image import augmentation

@augmentation.register
def dying_by_{signal}(canvas, rng):
    "Ends the data worker that it runs in."
    if multiprocessing.parent_process() is not None:
        os.kill(os.getpid(), signal.{signal})
"""


@pytest.mark.parametrize(
    ("signal", "code", "said"),
    [
        ("SIGKILL", 4, "was killed, probably because memory ran out: try fewer data.workers"),
        ("SIGSEGV", 1, "crashed (SIGSEGV): with data.workers=0 the run goes on without one"),
    ],
)
def test_a_data_worker_that_dies_is_told(
    desk: Path, capsys: pytest.CaptureFixture[str], signal: str, code: int, said: str
) -> None:
    Path("dying.py").write_text(DYING.replace("{signal}", signal))
    line = ["train", "a.yaml", "plugins=[dying.py]", f"augment=[dying_by_{signal}]", "--run-dir", "r"]
    assert run([*line, "data.workers=1"]) == code
    assert f"a worker process {said}" in capsys.readouterr().err
    assert run([*line, "data.workers=0"]) == 0


STALLED = """
import multiprocessing, time
from ftaug.image import augmentation

@augmentation.register
def {name}(canvas, rng):
    "Keeps the data worker that it runs in from its work."
    if multiprocessing.parent_process() is not None:
        {how}
"""


def stalling(name: str, how: str) -> list[str]:
    """A training run whose data worker does not come to an end, or late."""
    Path(f"{name}.py").write_text(STALLED.format(name=name, how=how))
    own = [f"plugins=[{name}.py]", f"augment=[{name}]", "data.workers=1", "data.train.digits.per_class=1"]
    return ["train", "a.yaml", *own, "data.val=null", "train.epochs=1", "--run-dir", "r"]


@pytest.mark.parametrize(
    ("name", "how"), [("asleep", "time.sleep(3600)"), ("halted", "os.kill(os.getpid(), signal.SIGSTOP)")]
)
def test_a_data_worker_that_hangs_is_told_and_ended(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, how: str
) -> None:
    monkeypatch.setattr("ftaug.engine.loading.workers.PATIENCE", 1)
    assert run(stalling(name, f"import os, signal; {how}")) == 74
    said = capsys.readouterr().err
    assert "no batch arrived for 1 seconds, and the worker processes are idle" in said
    assert not multiprocessing.active_children()


def test_what_a_data_worker_raises_is_no_hang_whatever_it_says(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(stalling("remote", "raise RuntimeError('the service timed out')")) == 1
    assert "do nothing" not in capsys.readouterr().err
    assert "the service timed out" in Path("r/crash.log").read_text()


def test_a_data_worker_that_works_for_long_is_waited_for(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ftaug.engine.loading.workers.PATIENCE", 1)
    assert run(stalling("slow", "end = time.time() + 0.4\n        while time.time() < end: pass")) == 0
