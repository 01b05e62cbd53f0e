"""`train --processes` from outside: real processes, signals and exit codes."""

import os
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest
from processes import in_child

from ftaug.cli import run
from ftaug.engine.system.launcher import _outcome
from ftaug.engine.system.restarts import launch
from ftaug.errors import ExperimentError, OutOfMemory

EXPERIMENT = """
name: ranks
data: {train: {digits: {per_class: 10}}, val: {split: 20%}, batch_size: 16, parts: 2, workers: 0}
backbone: {resnet20: {weights: none}}
augment: [rotate: {degrees: 10}]
train: {precision: fp32, epochs: EPOCHS, ema: 0.9, save_every: 5 steps}
evaluate: {every: 3 steps}
"""


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ({0: 0, 1: 0}, 0),
        ({1: 75, 0: 75}, 75),
        ({0: 69, 1: 65}, 65),  # 69: rank 0 lost rank 1, which met unreadable data
        ({1: 69, 0: 74}, 74),
        ({0: 69, 1: 69}, 69),
    ],
)
def test_the_code_is_that_of_the_cause(tmp_path, capfd, codes, expected) -> None:
    (tmp_path / "rank-1.txt").write_text("digits/3.png: truncated\n")
    assert _outcome(codes, tmp_path) == expected
    assert capfd.readouterr().err == ("rank 1: digits/3.png: truncated\n" if expected == 65 else "")


def test_a_killed_process_is_named(tmp_path) -> None:
    with pytest.raises(OutOfMemory, match=r"the process of rank 1 was killed \(SIGKILL\), probably because memory ran"):
        _outcome({0: 69, 1: -signal.SIGKILL}, tmp_path)


def test_a_signal_to_the_launcher_is_the_cause(tmp_path) -> None:
    assert _outcome({0: -signal.SIGTERM, 1: 69}, tmp_path, [signal.SIGTERM]) == 128 + signal.SIGTERM


def test_processes_that_were_started_already_are_an_error(monkeypatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ExperimentError, match="--processes 2: WORLD_SIZE is set, so torchrun"):
        launch(["train", "x.yaml"], 2, 0)


def start(folder, *options):
    command = [sys.executable, "-m", "ftaug", "train", "ranks.yaml", "--no-report", *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=-1, stderr=-1, text=True)


def weights(run):
    return {file.name: sha256(file.read_bytes()).hexdigest() for file in run.glob("best/*.safetensors")}


def test_stopped_and_continued_with_another_number_of_processes(tmp_path, monkeypatch, capfd) -> None:
    (tmp_path / "ranks.yaml").write_text(EXPERIMENT.replace("EPOCHS", "3"))
    process = start(tmp_path, "--processes", "2", "--run-dir", "run")
    while not list(tmp_path.glob("run/checkpoints/step-*/manifest.json")) and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.communicate()[1].splitlines()[-1].startswith("stopped by SIGTERM at step ")
    assert process.returncode == 75
    assert not list(tmp_path.glob("run/rank-*.log"))
    monkeypatch.chdir(tmp_path)
    for name in ("alone", "run"):
        assert in_child(lambda name=name: run(["train", "ranks.yaml", "--no-report", "--run-dir", name])) == 0
    assert capfd.readouterr().out == "alone\nrun\n"
    assert weights(tmp_path / "run") == weights(tmp_path / "alone") != {}


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["rank 0", "rank 1", "launcher"])
def test_a_killed_process_ends_all_and_the_same_command_continues(tmp_path, victim) -> None:
    (tmp_path / "ranks.yaml").write_text(EXPERIMENT.replace("EPOCHS", "10"))
    process = start(tmp_path, "--processes", "2", "--run-dir", "run")
    while not list(tmp_path.glob("run/checkpoints/step-*/manifest.json")) and process.poll() is None:
        time.sleep(0.02)
    ranks = [int(pid) for pid in subprocess.check_output(["pgrep", "-P", str(process.pid)], text=True).split()]
    os.kill({"rank 0": ranks[0], "rank 1": ranks[1], "launcher": process.pid}[victim], signal.SIGKILL)
    began = time.monotonic()
    _, errors = process.communicate()
    if victim != "launcher":
        assert process.returncode == 4
        assert f"the process of {victim} was killed (SIGKILL)" in errors
    while any(Path(f"/proc/{pid}").exists() for pid in ranks):
        assert time.monotonic() - began < 60
        time.sleep(0.1)
    for options in (["--processes", "2"], []):
        name = "run" if options else "alone"
        assert start(tmp_path, *options, "--run-dir", name).wait() == 0
    assert weights(tmp_path / "run") == weights(tmp_path / "alone") != {}
