"""A run folder as a whole: what is damaged, and from which step the run continues."""

import json
import shutil

import pytest

from ftaug.errors import MissingInput
from ftaug.runs.verification.verify import verify


def damage(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def test_a_good_run(stopped):
    (checked,) = verify(stopped)
    assert checked.damage == []
    assert checked.resumption == "stopped, continues from step 8 (epoch 2)"
    assert checked.as_json()["resume"] == {"step": 8, "epoch": 2.0}


def test_the_step_before_a_damaged_checkpoint(stopped):
    damage(stopped / "checkpoints/step-0000008/model.safetensors")
    (checked,) = verify(stopped)
    assert [check.path for check in checked.damage] == ["checkpoints/step-0000008"]
    assert checked.damage[0].detail.endswith("restore it from a copy; the run continues from step 4 instead")
    assert checked.resumption == "stopped, continues from step 4 (epoch 1)"


def test_no_good_checkpoint(stopped):
    for step in (4, 8):
        damage(stopped / f"checkpoints/step-000000{step}/model.safetensors")
    (checked,) = verify(stopped)
    assert checked.resumption == "stopped, with no checkpoint to continue from"
    assert checked.as_json()["resume"] is None


def test_a_damaged_best_checkpoint_of_a_complete_run(complete):
    damage(complete / "checkpoints/step-0000008/model.safetensors")
    (checked,) = verify(complete)
    assert checked.resumption == "complete, 8 steps"
    assert checked.damage[0].detail.endswith("which evaluate, predict and export need: restore it from a copy")


def test_a_damaged_status(stopped):
    (stopped / "status.json").write_text("{")
    (checked,) = verify(stopped)
    assert checked.damage[0].path == "status.json"


def test_leftovers_are_no_damage(stopped):
    (stopped / ".tmp-status.json-7").write_text("{")
    (checked,) = verify(stopped)
    assert checked.damage == []
    assert [check.path for check in checked.checks if check.state == "leftover"] == [".tmp-status.json-7"]


def test_folds_and_folders_of_runs(stopped, tmp_path):
    folds = tmp_path / "folds"
    folds.mkdir()
    (folds / "folds.json").write_text(json.dumps({"digest": "a", "folds": 3, "complete": False}))
    for number in (1, 2):
        shutil.copytree(stopped, folds / f"fold-{number}", symlinks=True)
    assert [checked.run.name for checked in verify(folds)] == ["fold-1", "fold-2"]
    assert [checked.run.name for checked in verify(tmp_path)] == ["fold-1", "fold-2", "run"]
    with pytest.raises(MissingInput, match="holds no run folder"):
        verify(folds / "fold-1" / "checkpoints")
