"""Means over steps of what an objective observes."""

import numpy as np
import pytest
import torch

from ftaug.engine.training.running_means import RunningMeans

STEPS = np.random.default_rng(0).normal(size=(5, 6, 3))


def test_they_are_the_weighted_mean_of_the_steps_seen_so_far():
    means = RunningMeans(0.9, 3)
    assert means.values is None
    for step in STEPS:
        means.observe(torch.from_numpy(step[:4]))
        means.observe(torch.from_numpy(step[4:]))
        means.update(means.take())
    weights = 0.9 ** np.arange(4, -1, -1)
    expected = (weights[:, None] * STEPS.mean(axis=1)).sum(axis=0) / weights.sum()
    assert means.values.numpy() == pytest.approx(expected)


def test_a_step_that_is_not_applied_leaves_them():
    means = RunningMeans(0.9, 3)
    means.observe(torch.from_numpy(STEPS[0]))
    means.take()
    assert means.values is None and not means.take().any()


def test_they_are_restored_to_the_bit():
    means, other = RunningMeans(0.9, 3), RunningMeans(0.9, 3)
    means.observe(torch.from_numpy(STEPS[0]))
    means.update(means.take())
    other.load({name: tensor.clone() for name, tensor in means.tensors.items()})
    assert torch.equal(means.values, other.values)
    with pytest.raises(KeyError):
        other.load({})
