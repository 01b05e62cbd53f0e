"""Runs of a study are claimed once, and read back from their folders."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from ftaug.engine.system.lock import Lock
from ftaug.errors import BadData, ExperimentError, RunFolderTaken, StorageError
from ftaug.experiment_file import load
from ftaug.runs.study.study_folder import StudyFolder, is_in_use, study_of
from ftaug.runs.study.study_run import Failure, RunSpec


@pytest.fixture
def folder(tmp_path):
    study = StudyFolder(tmp_path / "study")
    study.describe({"command": "search"})
    return study


def test_of_two_hundred_races_for_a_number_one_process_wins_each(folder):
    workers = 8
    barrier = Barrier(workers)

    def race(worker):
        won = []
        for number in range(200):
            barrier.wait()
            spec = RunSpec(f"trial-{number:04}", (f"seed={worker}",), {"worker": worker})
            if folder.claim(spec) is not None:
                won.append(number)
        return won

    with ThreadPoolExecutor(workers) as pool:
        won = list(pool.map(race, range(workers)))
    assert sorted(number for each in won for number in each) == list(range(200))
    winners = {number: worker for worker, each in enumerate(won) for number in each}
    assert [run.spec.facts["worker"] for run in folder.runs()] == [winners[number] for number in range(200)]
    assert not [*folder.path.glob(".claim-*")]


def test_runs_are_read_from_their_folders(folder):
    specs = [RunSpec(name, ("a=1", "~b"), {"values": {"x": 0.1, "y": None}}) for name in ("a", "b", "c")]
    complete, failed, unfinished = (folder.claim(spec) for spec in specs)
    content = {"step": 3, "best": 3, "metrics": {"loss": 0.5, "f1": None}}
    (complete.path / "complete.json").write_text(json.dumps(content))
    folder.fail(failed, Failure(3, "diverged"))
    runs = folder.runs()
    assert [run.spec for run in runs] == specs
    assert [run.is_finished for run in runs] == [True, True, False]
    assert runs[0].metrics["loss"] == 0.5
    assert runs[0].metrics["f1"] != runs[0].metrics["f1"]  # undefined
    assert runs[1].failure == Failure(3, "diverged")
    assert runs[2].path == unfinished.path


def test_a_run_in_training_is_in_use(folder):
    run = folder.claim(RunSpec("a", ()))
    assert not is_in_use(run)
    lock = Lock(run.path)
    assert is_in_use(run)
    lock.release()
    assert not is_in_use(run)


def test_remains_of_a_killed_claim_are_no_run(folder):
    (folder.path / ".claim-0123").mkdir()
    (folder.path / ".claim-0123" / "run.json").write_text("{")
    assert folder.runs() == []
    folder.clean()
    assert [path.name for path in folder.path.iterdir()] == ["study.json"]


def test_a_folder_of_other_files_is_no_study(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(RunFolderTaken, match="is neither empty nor a study; choose another --output"):
        StudyFolder(tmp_path).describe({})


def test_a_damaged_description_of_a_run_is_named(folder):
    run = folder.claim(RunSpec("a", ()))
    (run.path / "run.json").write_text('{"overrides": 3}')
    with pytest.raises(BadData, match=r"a/run\.json: is damaged"):
        folder.runs()


def test_a_claim_without_a_study_is_an_error(tmp_path):
    with pytest.raises(StorageError, match="cannot be created"):
        StudyFolder(tmp_path / "missing").claim(RunSpec("a", ()))


def test_a_folder_is_continued_with_the_same_experiment_only(write, tmp_path):
    config, path = write("data: {train: digits}\nbackbone: resnet20\n"), tmp_path / "study"
    study_of(path, "ablate", load(config))
    study_of(path, "ablate", load(config, ["train.max_time=5"]))  # changes no result
    with pytest.raises(ExperimentError, match="holds another study") as error:
        study_of(path, "ablate", load(config, ["train.epochs=3", "train.max_time=5"]))
    assert [str(problem) for problem in error.value.problems[1:]] == ["train.epochs: 10 → 3"]
    with pytest.raises(ExperimentError, match="holds another study"):
        study_of(path, "screen", load(config))
