"""What a repeated step says of its samples."""

import math

import pytest

from ftaug.runs.replay import Replay, ReplayedSample
from ftaug.runs.replay_file import ReplayFile

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
