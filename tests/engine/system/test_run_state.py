"""The state of a run, from its folder."""

import json

import pytest

from ftaug.engine.system.lock import Lock
from ftaug.engine.system.run_state import read_state
from ftaug.errors import MissingInput

COMPLETE = {"step": 34, "best": 17, "metrics": {}}


def write(folder, **status):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "status.json").write_text(json.dumps({"step": 12, "running": False, **status}))
    return folder


@pytest.mark.parametrize(
    ("status", "name", "code"),
    [
        ({"exit_code": 75}, "stopped", 75),
        ({"exit_code": 130}, "stopped", 130),
        ({}, "stopped", 75),
        ({"exit_code": 3}, "failed", 3),
        ({"running": True}, "killed", 4),
    ],
)
def test_an_ended_run(tmp_path, status, name, code) -> None:
    folder = write(tmp_path / "run", **status)
    state = read_state(folder)
    assert (state.name, state.step, state.exit_code) == (name, 12, code)


def test_a_run_that_is_written(tmp_path) -> None:
    folder = write(tmp_path / "run", running=True)
    lock = Lock(folder)
    assert (read_state(folder).name, read_state(folder).exit_code) == ("running", 0)
    lock.release()
    assert read_state(folder).name == "killed"


def test_a_complete_run(tmp_path) -> None:
    folder = write(tmp_path / "run", exit_code=0)
    (folder / "complete.json").write_text(json.dumps(COMPLETE))
    assert str(read_state(folder)) == "complete, 34 steps"


def test_folds_have_the_state_of_the_first_that_is_not_complete(tmp_path) -> None:
    (tmp_path / "folds.json").write_text(json.dumps({"digest": "a", "folds": 3, "complete": False}))
    (write(tmp_path / "fold-1", exit_code=0) / "complete.json").write_text(json.dumps(COMPLETE))
    assert str(read_state(tmp_path)) == "fold 2 of 3: stopped; the same command continues"
    write(tmp_path / "fold-2", exit_code=65)
    assert str(read_state(tmp_path)) == "fold 2 of 3: failed with exit code 65; see train.log"
    for number in (2, 3):
        (write(tmp_path / f"fold-{number}", exit_code=0) / "complete.json").write_text(json.dumps(COMPLETE))
    assert read_state(tmp_path).exit_code == 0


def test_another_folder_is_an_error(tmp_path) -> None:
    with pytest.raises(MissingInput, match="is not a run folder"):
        read_state(tmp_path)
