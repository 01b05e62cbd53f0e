"""Damage of checkpoints is found file by file, and the run continues from the newest good one."""

import shutil

import pytest

from ftaug.engine.system import checkpoint
from ftaug.runs.verification import checkpoints
from ftaug.runs.verification.checkpoints import check_checkpoints, newest_good

NEWEST = "checkpoints/step-0000008"


def states(run):
    return {check.path: (check.state, check.detail) for check in check_checkpoints(run, "0123")}


def test_good_checkpoints(stopped):
    assert states(stopped) == {
        "checkpoints/step-0000004": ("good", ""),
        NEWEST: ("good", ""),
        "best": ("good", "step 8"),
    }


@pytest.mark.parametrize("name", ["model.safetensors", "state.json", "manifest.json"])
def test_a_flipped_bit(stopped, name):
    path = stopped / NEWEST / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    state, detail = states(stopped)[NEWEST]
    assert state == "damaged"
    assert name in detail or "its hash" in detail
    assert newest_good(stopped, [*check_checkpoints(stopped, "0123")]) == stopped / "checkpoints" / "step-0000004"
    assert newest_good(stopped, [*check_checkpoints(stopped, "0123")]) == checkpoint.newest(stopped / "checkpoints")


def test_missing_and_unknown_files(stopped):
    (stopped / NEWEST / "more").write_text("")
    assert states(stopped)[NEWEST] == ("damaged", "more is not in its manifest")
    (stopped / NEWEST / "more").rename(stopped / NEWEST / ".more")  # hidden files of a file system do not count
    assert states(stopped)[NEWEST] == ("good", "")
    (stopped / NEWEST / "state.json").unlink()
    assert states(stopped)[NEWEST] == ("damaged", "state.json: is missing")
    (stopped / NEWEST / "manifest.json").unlink()
    assert states(stopped)[NEWEST] == ("damaged", "manifest.json is missing")


def test_a_checkpoint_of_another_experiment(stopped):
    assert {check.detail for check in check_checkpoints(stopped, "4567")} == {
        "belongs to another experiment",
        "step 8",
    }
    assert newest_good(stopped, [*check_checkpoints(stopped, "4567")]) is None


def test_the_best_checkpoint(stopped):
    link = stopped / "best"
    link.unlink()
    link.symlink_to("checkpoints/step-0000009")
    assert states(stopped)["best"][0] == "missing"
    link.unlink()
    link.symlink_to("../elsewhere")
    assert states(stopped)["best"][0] == "damaged"
    link.unlink()
    shutil.copytree(stopped / NEWEST, link)  # a copy without links
    assert states(stopped)["best"] == ("good", "")


def test_leftovers_of_a_killed_save(stopped):
    shutil.copytree(stopped / NEWEST, stopped / "checkpoints" / ".tmp-0000012-77")
    assert states(stopped)["checkpoints/.tmp-0000012-77"][0] == "leftover"


@pytest.mark.parametrize("again", [False, True])
def test_a_checkpoint_that_a_trainer_deletes_or_replaces_is_no_damage(stopped, monkeypatch, again):
    path, file_defect = stopped / "checkpoints" / "step-0000004", checkpoints.file_defect
    shutil.copytree(path, stopped / "copy")

    def delete_and_compare(file, digest):
        if path.exists() and file.parent == path:
            shutil.rmtree(path)
            defect = file_defect(file, digest)
            if again:
                monkeypatch.setattr(checkpoints, "file_defect", file_defect)
                (stopped / "copy").rename(path)
            return defect
        return file_defect(file, digest)

    monkeypatch.setattr(checkpoints, "file_defect", delete_and_compare)
    kept = {"checkpoints/step-0000004": ("good", "")} if again else {}
    assert states(stopped) == {**kept, NEWEST: ("good", ""), "best": ("good", "step 8")}
