"""Processes that share the runs of a study: none is lost, none is trained twice, failures are recorded."""

import json
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from ftaug.engine.system.lock import Lock
from ftaug.errors import Diverged, MissingInput, NoProgress, RunFolderInUse, Stopped, StorageError
from ftaug.runs.study import work as module
from ftaug.runs.study.study_folder import StudyFolder
from ftaug.runs.study.study_run import Failure, RunSpec
from ftaug.runs.study.work import work

COMPLETE = json.dumps({"step": 1, "best": 1, "metrics": {"accuracy": 0.5}})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "POLL", 0.01)
    study = StudyFolder(tmp_path / "study")
    study.describe({})
    return study


def listed(count):
    """The plan of a fixed list of runs."""

    def plan(runs):
        known = {run.spec.name for run in runs}
        return next((RunSpec(f"run-{i}", ()) for i in range(count) if f"run-{i}" not in known), None)

    return plan


def test_many_workers_train_each_run_once(folder):
    trained = []

    def train(run):
        lock = Lock(run.path)
        try:
            if not (run.path / "complete.json").exists():
                trained.append(run.spec.name)
                (run.path / "new").write_text(COMPLETE)
                (run.path / "new").rename(run.path / "complete.json")
        finally:
            lock.release()

    with ThreadPoolExecutor(4) as pool:
        results = [each.result() for each in [pool.submit(work, folder, listed(24), train) for _ in range(4)]]
    assert sorted(trained) == sorted(f"run-{i}" for i in range(24))
    assert [len(runs) for runs in results] == [24] * 4


def test_an_abandoned_run_is_continued_first_and_one_in_use_is_not(folder):
    folder.claim(RunSpec("run-0", ()))
    in_use = folder.claim(RunSpec("run-1", ()))
    order, lock = [], Lock(in_use.path)

    def train(run):
        order.append(run.spec.name)
        (run.path / "complete.json").write_text(COMPLETE)
        if run.spec.name == "run-2":  # its process ends
            (in_use.path / "complete.json").write_text(COMPLETE)
            lock.release()

    assert len(work(folder, listed(3), train)) == 3
    assert order == ["run-0", "run-2"]


def test_a_failed_run_is_a_result_and_the_others_are_trained(folder):
    def train(run):
        if run.spec.name == "run-1":
            raise Diverged("loss is nan")
        if run.spec.name == "run-2":
            raise ZeroDivisionError("oops")
        (run.path / "complete.json").write_text(COMPLETE)

    runs = work(folder, listed(4), train)
    assert [run.failure and run.failure.exit_code for run in runs] == [None, 3, 1, None]
    assert runs[1].failure.message == "loss is nan"
    assert "ZeroDivisionError: oops" in runs[2].failure.message
    assert "oops" in (runs[2].path / "crash.log").read_text()


def test_a_study_in_which_all_fails_ends_with_the_error(folder):
    def train(run):
        raise MissingInput("photos: no such folder")

    with pytest.raises(MissingInput, match=r"the first 3 runs all failed.*photos: no such folder"):
        work(folder, listed(9), train)
    assert len(folder.runs()) == 3


@pytest.mark.parametrize("error", [Stopped("SIGTERM"), StorageError("disk full")])
def test_what_is_not_of_the_run_ends_the_worker(folder, error):
    def train(run):
        raise error

    with pytest.raises(type(error)):
        work(folder, listed(2), train)
    assert [run.is_finished for run in folder.runs()] == [False]


def test_a_run_that_another_process_took_is_left_to_it(folder):
    def train(run):
        (run.path / "complete.json").write_text(COMPLETE)
        raise RunFolderInUse("by another")

    assert len(work(folder, listed(1), train)) == 1


@pytest.mark.parametrize("moved", [1, 9])
def test_a_run_whose_processes_are_killed_is_tried_again_several_times_from_each_checkpoint(folder, moved):
    starts = []

    def train(run):
        starts.append(run.spec.name)
        since = len(starts) if len(starts) < moved else len(starts) - moved + 1
        counts = {"attempt": len(starts), "step": 0, "starts_at_step": since, "deaths": 0}
        status = {"digest": "x", **counts, "running": False}
        (run.path / "status.json").write_text(json.dumps(status))
        raise NoProgress("killed, probably because memory ran out")

    (run,) = work(folder, listed(1), train)
    assert len(starts) == module.STARTS + moved - 1
    assert run.failure == Failure(4, "killed, probably because memory ran out")


def test_a_signal_between_runs_stops_the_worker(folder):
    def train(run):
        (run.path / "complete.json").write_text(COMPLETE)
        signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Stopped, match=r"stopped by SIGTERM between two runs.*the same command continues"):
        work(folder, listed(2), train)
    assert len(folder.runs()) == 1
