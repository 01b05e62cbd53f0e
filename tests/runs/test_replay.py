"""What a repeated step says of its samples."""

import math

import pytest
import torch
from fragile import fragile_state, train_fragile
from safetensors.torch import load_file

from ftaug.engine.system import checkpoint
from ftaug.runs.replay import Replay, ReplayedSample, ReplayFolder, newest_before, train_until
from ftaug.runs.replay_file import ReplayFile
from ftaug.runs.train_session import Session

RECORD = ReplayFile(3, 1, "nan", "inf", 0.1, "stop", "0123", 0, [])


def replayed(*losses, loss=math.nan, norm=math.inf):
    samples = [ReplayedSample(number, 0, value, str(number), "") for number, value in enumerate(losses)]
    return Replay(RECORD, "initial weights", 0, "", loss, norm, {}, samples)


@pytest.mark.parametrize(
    ("losses", "verdict"),
    [
        ((math.nan, 1.0), "the loss of 1 of 2 samples is not finite by itself"),
        ((math.nan, math.inf), "weights or settings are the cause"),
        ((2.0, 1.0), "the batch as a whole, or the backward pass"),
        ((None, None), "the objective learns without labels"),
    ],
)
def test_the_cause(losses, verdict):
    assert verdict in replayed(*losses).verdict


def test_the_same_bits():
    assert replayed().is_same
    assert not replayed(loss=1.0).is_same
    assert not replayed(norm=None).is_same


def test_steps_that_rolled_back_are_repeated_without_the_checkpoints_of_the_run(tmp_path):
    """Those that they returned to are deleted once later ones are saved."""
    rollback = "train.on_nonfinite={rollback: 9}"
    trained = train_fragile(tmp_path, rollback)
    assert len(trained.progress.nonfinite) > 1
    (tmp_path / "temporary").mkdir()
    state = fragile_state(tmp_path, rollback)
    session = Session.begin(state, ReplayFolder(tmp_path / "empty", "0123", tmp_path / "temporary"))
    train_until(session, trained.progress.step)
    expected = load_file(max((tmp_path / "run" / "checkpoints").iterdir()) / "model.safetensors")
    repeated = state.model.network.state_dict()
    assert all(torch.equal(repeated[name], tensor) for name, tensor in expected.items())
    assert not (tmp_path / "empty").exists()


@pytest.mark.parametrize(
    ("saved", "start"),
    [
        ({4: 4, 6: 4}, 6),
        ({4: 4, 6: 4, 9: 8}, 6),  # the checkpoint of step 8 was deleted: what happened after step 9 cannot be repeated
        ({6: 4}, 0),
        ({6: None, 11: 8, 16: 16}, 6),
        ({}, 0),
    ],
)
def test_a_replay_starts_where_it_can_roll_back(tmp_path, saved, start):
    for step, rollback_step in saved.items():
        state = {"progress": {"rollback_step": rollback_step}, "digest": "0123"}
        checkpoint.save(tmp_path, step, {"model": {"w": torch.ones(1)}}, state)
    assert newest_before(tmp_path, 12, "0123").step == start
