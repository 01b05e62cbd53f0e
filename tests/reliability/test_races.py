"""Several processes and one run folder: one writer, and readers beside it."""

import os
import random
import signal

import pytest
import torch
from odd_file_systems import KINDS
from processes import Command
from raced_commands import (
    READERS,
    WHOLE,
    read_beside,
    share_caches,
    start_trainer,
    train_on_odd_file_system,
    write_experiment,
    write_sharing,
)
from run_bits import run_bits

from ftaug.engine.system import checkpoint
from ftaug.engine.system.run_files import step_of
from ftaug.engine.system.run_folder import RunFolder
from ftaug.errors import RunFolderTaken
from ftaug.runs.trained_model import best_weights

STARTS, READS = 20, 200


def open_run(path):
    return RunFolder.open(path, experiment_yaml="name: a\n", resolved_yaml="name: a\n", digest="1" * 64)


def test_of_twenty_starts_one_gets_the_folder(tmp_path):
    """The others end with 73; the winner keeps the folder until all have tried."""
    go, tried = os.pipe(), os.pipe()

    def start():
        os.close(go[1])
        os.read(go[0], 1)  # returns in all of them at once: the pipe is closed
        try:
            with open_run(tmp_path / "run"):
                os.write(tried[1], b"w")
                signal.pause()
        except RunFolderTaken:
            os.write(tried[1], b"l")
            return RunFolderTaken.exit_code

    children = []
    for _ in range(STARTS):
        if (child := os.fork()) == 0:
            os._exit(start() or 0)
        children.append(child)
    os.close(go[1])
    outcomes = b"".join(os.read(tried[0], 1) for _ in range(STARTS))
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert sorted(outcomes) == sorted(b"w" + b"l" * (STARTS - 1))
    open_run(tmp_path / "run").close()  # a killed winner blocks nobody


def test_readers_beside_a_trainer_find_whole_checkpoints(tmp_path):
    """The best checkpoint is replaced at every step and the others are pruned, also before a reader has read them."""
    ready = os.pipe()

    def train():
        with open_run(tmp_path) as folder:
            for step in range(1, 100_000):
                tensors = {"model": {"w": torch.full((1000,), float(step))}}
                checkpoint.save(folder.checkpoints, step, tensors, {"step": step})
                folder.set_best(step)
                checkpoint.prune(folder.checkpoints, keep=[step])
                if step == 1:
                    os.write(ready[1], b"r")

    if (trainer := os.fork()) == 0:
        train()
    os.read(ready[0], 1)
    try:
        seen = set()
        for _ in range(READS):
            chosen, weights = best_weights(tmp_path)
            step = step_of(chosen)
            assert torch.equal(weights["w"], torch.full((1000,), float(step)))
            seen.add(step)
    finally:
        os.kill(trainer, signal.SIGKILL)
        os.waitpid(trainer, 0)
    assert len(seen) > 1


def read_all(folder, names):
    trainer = start_trainer(folder)
    try:
        return [problem for name in names for problem in read_beside(folder, name)]
    finally:
        trainer.kill()


def test_evaluate_beside_a_trainer_prints_the_metrics_of_its_checkpoint(tmp_path):
    assert read_all(tmp_path, ["evaluate", "status"]) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_reader_beside_a_trainer(tmp_path):
    assert read_all(tmp_path, READERS) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_runs_that_share_caches_have_the_bits_of_one_by_itself(tmp_path):
    write_sharing(tmp_path)
    assert share_caches(tmp_path, 4, "caches", random.Random(0)) == []


@pytest.mark.parametrize(
    "kind", [kind if "devices" in kind else pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS]
)
def test_odd_file_systems_end_with_one_line_or_the_same_bits(tmp_path, kind):
    (tmp_path / "plain").mkdir()
    write_experiment(tmp_path / "plain")
    assert Command(WHOLE, tmp_path / "plain").wait() == 0
    code, problems = train_on_odd_file_system(tmp_path, kind, run_bits(tmp_path / "plain" / "whole"))
    assert problems == []
    assert code == (0 if kind in ("no locks", "renames copy") else 74 if "devices" in kind else 73)
