"""Faults of one of several processes: exit codes, no process left behind, and the same command continues."""

import os
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest
from processes import in_ranks
from small_training import TEXTS, state_of

from ftaug.engine.training.fit import Progress, fit
from ftaug.engine.training.step_parts import with_parts
from ftaug.errors import RankLost

EXPERIMENT = """
name: ranks
data: {train: {digits: {per_class: 8}}, val: {split: 20%}, batch_size: 16, parts: 2, workers: 0}
backbone: {resnet20: {weights: none}}
augment: [rotate: {degrees: 10}]
train: {precision: fp32, epochs: 12, ema: 0.9, save_every: 5 steps}
evaluate: {every: 3 steps}
"""

SITE = """
import ctypes, glob, os, resource, signal, threading, time

def fail():
    while not glob.glob("run/checkpoints/step-*/manifest.json"):
        time.sleep(0.01)
    if fault == "no space":
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    elif fault == "no memory":
        used = int(open("/proc/self/statm").read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (used, used))
        held = []  # what the allocator has kept for later, so that training has to ask for more
        size = 1 << 24
        while size >= 1 << 8:
            pointer = ctypes.CDLL(None).malloc(ctypes.c_size_t(size))
            held.append(pointer)
            size = size if pointer else size // 2
    elif fault == "MemoryError":
        main = threading.main_thread().ident
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(main), ctypes.py_object(MemoryError))
    else:
        os.kill(os.getpid(), getattr(signal, fault))

fault, rank = os.environ.get("FAULT", " of ").split(" of ")
if rank and os.environ.get("RANK") == rank and not os.path.exists("failed"):
    open("failed", "w").close()
    threading.Thread(target=fail, daemon=True).start()
"""


def start(folder, run, *options, fault=""):
    command = [sys.executable, "-m", "ftaug", "train", "ranks.yaml", "--no-report", "--run-dir", run, *options]
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path, "FAULT": fault}
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=-1, stderr=-1, text=True)


def weights(run):
    return [sha256(file.read_bytes()).hexdigest() for file in sorted(run.glob("best/*.safetensors"))]


def metrics(run):
    return [line.partition('"time"')[0] for line in (run / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The run of a single process, without faults."""
    folder = tmp_path_factory.mktemp("alone")
    (folder / "ranks.yaml").write_text(EXPERIMENT)
    assert start(folder, "run").wait() == 0
    return folder / "run"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("no space of 0", 74),
        ("no memory of 1", 4),
        ("MemoryError of 0", 4),
        ("MemoryError of 1", 4),
        ("SIGKILL of 0", 4),
        ("SIGKILL of 1", 4),
        ("SIGTERM of 0", 75),
        ("SIGTERM of 1", 75),
        ("SIGINT of 1", 130),
    ],
)
def test_a_fault_of_one_process_ends_all(tmp_path, alone, fault, code) -> None:
    (tmp_path / "ranks.yaml").write_text(EXPERIMENT)
    (tmp_path / "sitecustomize.py").write_text(SITE)
    process = start(tmp_path, "run", "--processes", "2", fault=fault)
    ranks = []
    while not list(tmp_path.glob("run/checkpoints/step-*/manifest.json")):
        listing = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True)
        ranks = listing.stdout.split() or ranks
        time.sleep(0.02)
    began = time.monotonic()
    _, errors = process.communicate()
    assert process.returncode == code, errors
    assert time.monotonic() - began < 60
    assert len(ranks) == 2
    assert not [rank for rank in ranks if Path("/proc", rank).exists()]
    assert "Traceback" not in errors
    assert start(tmp_path, "run", "--processes", "2", fault=fault).wait() == 0
    assert weights(tmp_path / "run") == weights(alone) != []
    assert metrics(tmp_path / "run") == metrics(alone)


@pytest.mark.slow
def test_a_killed_process_is_restarted(tmp_path, alone) -> None:
    (tmp_path / "ranks.yaml").write_text(EXPERIMENT)
    (tmp_path / "sitecustomize.py").write_text(SITE)
    process = start(tmp_path, "run", "--processes", "2", "--restarts", "1", fault="SIGKILL of 1")
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    assert output == "run\n"
    assert "restart 1 of 1 in 5 seconds: the process of rank 1 was killed (SIGKILL)" in errors
    assert weights(tmp_path / "run") == weights(alone) != []


def test_the_others_lose_a_process_that_fails_in_a_step(tmp_path) -> None:
    def action(ranks):
        folder = tmp_path / f"rank-{ranks.rank}"
        folder.mkdir()
        for step in fit(with_parts(state_of(folder, TEXTS), ranks), Progress()):
            if ranks.rank == 1:
                raise MemoryError(step.number)

    first, second = in_ranks(tmp_path, 2, action)
    assert isinstance(first, RankLost)
    assert isinstance(second, MemoryError)
