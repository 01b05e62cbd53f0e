"""Targets in the classes of another task."""

import numpy as np
import pytest

from ftaug.engine.loading.class_mapping import map_soft_targets, map_targets
from ftaug.errors import BadData
from ftaug.interfaces.data import Task

OURS, THEIRS = Task(("cat", "dog", "emu")), Task(("emu", "cat", "yak"))


def test_classes_and_shares_are_mapped_by_name():
    assert map_targets("val", np.array([0, 1, 0]), THEIRS, OURS).tolist() == [2, 0, 2]
    shares = np.array([[0.25, 0.75, 0.0], [1.0, 0.0, 0.0]])
    assert map_soft_targets("pseudo_labels", shares, THEIRS, OURS).tolist() == [[0.75, 0, 0.25], [0, 0, 1]]


def test_a_class_that_is_used_must_be_known():
    with pytest.raises(BadData, match=r"data\.val: class 'yak' is not among the classes of data\.train"):
        map_targets("val", np.array([2]), THEIRS, OURS)
    with pytest.raises(BadData, match=r"data\.pseudo_labels: class 'yak'"):
        map_soft_targets("pseudo_labels", np.array([[0, 0.99, 0.01]]), THEIRS, OURS)
