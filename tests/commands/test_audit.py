"""What the commands do to the machine: they unpickle nothing, write only where they say, and contact nobody."""

import shutil
import tempfile

import pytest
from audited import audited

from ftaug.cli import run

COMMANDS = {
    "train": ["train", "{desk}/colors.yaml", "train.epochs=1", "--run-dir", "{here}/new", "--device", "cpu"],
    "continue": ["train", "{run}"],
    "evaluate": ["evaluate", "{run}"],
    "predict": ["predict", "{run}", "{desk}/photos/test"],
    "export": ["export", "{run}", "--format", "safetensors"],
    "inspect": ["inspect", "{desk}/colors.yaml", "--read"],
    "doctor": ["doctor", "{desk}/colors.yaml"],
    "preview": ["preview", "{desk}/colors.yaml", "augment=[horizontal_flip]", "--output", "{here}/sheet.png"],
    "augment": [
        "augment",
        "{desk}/colors.yaml",
        "augment=[horizontal_flip]",
        "--output",
        "{here}/copies",
        "--workers",
        "0",
    ],
    "lr-find": ["lr-find", "{desk}/colors.yaml", "--steps", "20", "--output", "{here}/lr.png"],
    "report": ["report", "{run}", "--output", "{here}/report.html"],
    "explain": ["explain", "{run}", "{desk}/photos/test/red/00.png", "--output", "{here}/explained.png"],
    "status": ["status", "{run}"],
    "validate": ["validate", "{desk}/colors.yaml"],
    "init": ["init", "{desk}/photos/train", "--output", "{here}/made.yaml"],
    "cache": ["cache", "list"],
}
"""Command lines; what they write is below `here`, the folder of the test, where the run is a copy."""
STARTED = {"git", "uname", "/sbin/ldconfig", "ldconfig", "gcc", "lscpu"}
"""Programs that say what the machine is, and the version of the project."""


@pytest.fixture
def here(desk, tmp_path, monkeypatch):
    (tmp_path / "here" / "caches").mkdir(parents=True)
    (tmp_path / "here" / "temporary").mkdir()
    shutil.copytree(desk / "run", tmp_path / "here" / "run", symlinks=True)
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "here" / "caches"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "here" / "temporary"))
    return tmp_path / "here"


SLOW = ("report", "explain")


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW)) for n in COMMANDS])
def test_a_command_unpickles_nothing_and_writes_only_in_its_folder(desk, here, name):
    words = [word.format(desk=desk, run=here / "run", here=here) for word in COMMANDS[name]]
    code, events = audited(lambda: run(words), here.parent, [here])
    assert code == 0
    assert set(events.pop("started", [])) <= STARTED
    assert events == {}


def test_the_audit_sees_what_is_outside(tmp_path):
    def act():
        (tmp_path / "mine" / "file").write_text("")
        (tmp_path / "other").write_text("")
        (tmp_path / "other").rename(tmp_path / "third")
        import pickle
        import subprocess

        pickle.loads(b"cos\ngetpid\n(tR.")
        subprocess.run(["true"], check=True)

    (tmp_path / "mine").mkdir()
    code, events = audited(act, tmp_path, [tmp_path / "mine"])
    assert code == 0
    assert events["unpickled"] == ["os.getpid"]
    assert events["wrote"] == [str(tmp_path / "other"), str(tmp_path / "other")]
    assert events["started"] == ["true"]
