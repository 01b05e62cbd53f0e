"""Restarts after failures, with a program in the place of ftaug that fails as its script says."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from ftaug.engine.system import restarts, signals
from ftaug.engine.system.restarts import launch, without_options
from ftaug.errors import ExperimentError, OutOfMemory

PROGRAM = """
import os, signal, sys
from pathlib import Path
with open(f"rank-{os.environ['RANK']}", "a") as log:
    print(*sys.argv[1:], file=log)
if os.environ["RANK"] != "0":
    sys.exit(0)
start = len(Path("rank-0").read_text().splitlines())
step = Path("script").read_text().split()[start - 1]
Path(os.environ["FTAUG_RUN_FILE"]).write_text("run")
if step[0] == "+":
    Path("run", "fold-1", "checkpoints", f"step-{start}").mkdir(parents=True)
if step[-1] == "k":
    os.kill(os.getpid(), signal.SIGKILL)
if step == "input":
    sys.exit(0 if sys.stdin.read() == "name: a" else 1)
if step == "wait":
    sys.exit(75 if signal.sigwait([signal.SIGTERM]) else 1)
sys.exit(int(step))
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    (tmp_path / "ftaug").mkdir()
    (tmp_path / "ftaug" / "__init__.py").touch()
    (tmp_path / "ftaug" / "__main__.py").write_text(PROGRAM)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(restarts, "FIRST_DELAY", 0)


def starts():
    return Path("rank-0").read_text().splitlines()


@pytest.mark.parametrize(
    ("script", "allowed", "code", "count"),
    [
        ("+k +4 +69 0", 3, 0, 4),
        ("1 +74 +1 0", 3, 0, 4),  # a first start without a checkpoint
        ("+1 4 0", 5, 4, 2),  # no checkpoint between two failures
        ("+74 +74 +74", 2, 74, 3),
        ("+75", 5, 75, 1),
        ("130", 5, 130, 1),
        ("2", 5, 2, 1),
        ("65", 5, 65, 1),
    ],
)
def test_failures_that_may_pass_are_started_again(script, allowed, code, count) -> None:
    Path("script").write_text(script)
    assert launch(["train", "x.yaml"], 2, allowed) == code
    assert starts() == ["train x.yaml"] * count == Path("rank-1").read_text().splitlines()


def test_the_last_killed_process_is_an_error(capfd) -> None:
    Path("script").write_text("+k k")
    with pytest.raises(OutOfMemory, match=r"the process of rank 0 was killed \(SIGKILL\)"):
        launch(["train", "x.yaml"], None, 5)
    first, second = capfd.readouterr().err.splitlines()
    assert first.startswith("restart 1 of 5 in 0 seconds: the process of rank 0 was killed (SIGKILL)")
    assert second == "no restart: no checkpoint was saved since the last one"


def test_the_code_of_a_stop_is_no_failure() -> None:
    Path("script").write_text("+4 0")
    assert launch(["train", "x.yaml"], None, 5, stopped=4) == 4
    assert len(starts()) == 1


def test_a_restart_continues_the_folder_of_a_fresh_run() -> None:
    Path("script").write_text("+1 0")
    assert launch(["train", "x.yaml", "--fresh", "--run-dir=a", "--no-report"], None, 1) == 0
    assert starts() == ["train x.yaml --fresh --run-dir=a --no-report", "train x.yaml --no-report --run-dir run"]


def test_a_signal_ends_the_wait_for_a_restart(monkeypatch, capfd) -> None:
    monkeypatch.setattr(restarts, "FIRST_DELAY", 60)
    Path("script").write_text("+1 0")
    threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
    assert launch(["train", "x.yaml"], None, 1, stopped=99) == 99
    assert capfd.readouterr().err.splitlines()[-1].startswith("stopped by SIGTERM")
    assert len(starts()) == 1


def test_a_signal_that_came_before_the_start_is_passed_on(monkeypatch) -> None:
    """It also stops a process that could not handle it yet: signals are blocked at its start."""
    monkeypatch.setattr(signals, "_held", [signal.SIGTERM])
    Path("script").write_text("wait")
    assert launch(["train", "x.yaml"], None, 5) == 75
    assert len(starts()) == 1


def test_every_start_reads_the_same_standard_input(tmp_path, monkeypatch) -> None:
    (tmp_path / "experiment").write_text("name: a")
    Path("script").write_text("+1 input")
    with Path("experiment").open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert launch(["train", "-"], 2, 1) == 0


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        (
            ("WORLD_SIZE", "2"),
            "--restarts 1: WORLD_SIZE is set, so torchrun or another launcher has started the proces",
        ),
        (("SLURM_STEP_NUM_TASKS", "2"), "--restarts 1: SLURM_STEP_NUM_TASKS is 2, so srun has started the processes; "),
    ],
)
def test_another_launcher_is_an_error(monkeypatch, variable, message) -> None:
    monkeypatch.setenv(*variable)
    monkeypatch.setenv("SLURM_PROCID", "0")
    monkeypatch.setenv("SLURM_LOCALID", "0")
    with pytest.raises(ExperimentError, match=message):
        launch(["train", "x.yaml"], None, 1)


def test_options_are_left_out_with_their_values() -> None:
    arguments = ["train", "a=--processes", "--processes", "2", "--fresh", "--restarts=3", "--folds", "2"]
    assert without_options(arguments, {"--processes": 1, "--restarts": 1, "--fresh": 0}) == [
        "train",
        "a=--processes",
        "--folds",
        "2",
    ]
