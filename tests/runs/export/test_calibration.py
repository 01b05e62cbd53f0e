import numpy as np
import pytest

from ftaug.engine.loading.split import DataSplit
from ftaug.errors import BadData, BadSample
from ftaug.interfaces.data import Task
from ftaug.runs.export.calibration import CalibrationSamples


class Letters:
    """Samples that are their own index; the one at 7 cannot be read."""

    def read(self, index):
        if index == 7:
            raise BadData("cannot be read")
        return index

    def name(self, index):
        return f"letter {index}"


def drawn(count, seed=3, ids=range(0, 100, 2)):
    split = DataSplit("train", Letters(), np.array(ids), np.zeros(len(ids), np.int64), Task(("a", "b")))
    return CalibrationSamples.drawn(split, count, seed, lambda raw: [10 * one for one in raw])


def test_the_same_samples_are_drawn_each_time_from_the_split_alone():
    first, second = ([batch.samples[0] for batch in drawn(16)] for _ in range(2))
    assert first == second == sorted(set(first))
    assert len(first) == 16
    assert set(first) <= set(range(0, 100, 2))
    assert first != [batch.samples[0] for batch in drawn(16, seed=4)]


def test_there_are_no_more_than_the_split_has():
    samples = drawn(500)
    assert len(samples) == 50
    assert samples[1] == ([2], [20])


def test_a_sample_that_cannot_be_read_is_named():
    with pytest.raises(BadSample, match="letter 7: cannot be read"):
        list(drawn(10, ids=[1, 7]))
