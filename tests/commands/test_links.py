"""Links in folders that ftaug writes: nothing outside is written, emptied or deleted."""

import shutil

import pytest

from ftaug.cli import run

MINE = {"curves.png": "mine", "evaluate-test.json": "mine", "parity.json": "mine", "colors.onnx": "mine"}


@pytest.fixture
def outside(tmp_path):
    """A folder of somebody else's, with names that ftaug uses."""
    folder = tmp_path / "outside"
    folder.mkdir()
    for name, text in MINE.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def copied(desk, tmp_path):
    """A copy of a finished run."""
    shutil.copytree(desk / "run", tmp_path / "run", symlinks=True)
    return tmp_path / "run"


def holds_mine(folder):
    return {path.name: path.read_text() for path in folder.iterdir()} == MINE


def test_evaluate_writes_no_report_through_a_link(copied, outside, capsys):
    shutil.rmtree(copied / "report")
    (copied / "report").symlink_to(outside)
    assert run(["evaluate", str(copied)]) == 73
    assert "report: is not a regular folder but a link" in capsys.readouterr().err
    assert holds_mine(outside)


def test_a_file_of_the_report_that_is_a_link_is_replaced(copied, outside):
    for name in ("evaluate-test.json", "confusion-test.png"):
        (copied / "report" / name).unlink(missing_ok=True)
        (copied / "report" / name).symlink_to(outside / "curves.png")
    assert run(["evaluate", str(copied)]) == 0
    assert holds_mine(outside)
    assert not (copied / "report" / "evaluate-test.json").is_symlink()


def test_export_writes_nothing_through_a_link(copied, outside, capsys):
    shutil.rmtree(copied / "exports", ignore_errors=True)
    (copied / "exports").symlink_to(outside)
    assert run(["export", str(copied), "--format", "safetensors"]) == 73
    assert "exports: is not a regular folder but a link" in capsys.readouterr().err
    assert holds_mine(outside)


def test_augment_writes_nothing_through_a_link(desk, tmp_path, outside, capsys):
    out = tmp_path / "out"
    line = ["augment", str(desk / "colors.yaml"), "augment=[horizontal_flip]", "--output", str(out), "--workers", "0"]
    assert run(line) == 0
    shutil.rmtree(out / "green")
    (out / "green").symlink_to(outside)
    assert run(line) == 73
    assert "green: is not a regular folder but a link" in capsys.readouterr().err
    assert holds_mine(outside)
