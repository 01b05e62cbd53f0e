"""`ftaug status` prints the state of a run and ends with its exit code."""

import json

import pytest

from ftaug.cli import run
from ftaug.engine.system.lock import Lock


def write(folder, **status):
    folder.mkdir()
    (folder / "status.json").write_text(json.dumps({"step": 12, "running": False, **status}))
    return folder


@pytest.mark.parametrize(
    ("status", "name", "code"),
    [({"exit_code": 75}, "stopped", 75), ({"exit_code": 3}, "failed", 3), ({"running": True}, "killed", 4)],
)
def test_an_ended_run(tmp_path, capsys, status, name, code) -> None:
    folder = write(tmp_path / "run", **status)
    assert run(["status", str(folder), "--json"]) == code
    expected = {"run": str(folder), "state": name, "step": 12, "exit_code": code}
    assert json.loads(capsys.readouterr().out) == expected


def test_a_run_that_is_written(tmp_path, capsys) -> None:
    folder = write(tmp_path / "run", running=True)
    lock = Lock(folder)
    assert run(["status", str(folder)]) == 0
    assert capsys.readouterr().out == f"{folder}: running\n"
    lock.release()


def test_another_folder_is_an_error(tmp_path, capsys) -> None:
    assert run(["status", str(tmp_path)]) == 66
    assert capsys.readouterr().err == f"{tmp_path}: is not a run folder (no status.json)\n"
