"""Epochs in the order of shards: near to one another in storage, and still a function of (seed, epoch)."""

from types import SimpleNamespace

import numpy as np
import pytest

from ftaug.config.experiment import ShardWindows
from ftaug.engine.loading.batches import EpochSampler
from ftaug.engine.loading.shard_order import WINDOW, ShardOrder
from ftaug.errors import ExperimentError

SHARDS = np.arange(1000) % 10  # samples of neighboring ids are in different shards
POSITIONS = np.random.default_rng(0).permutation(1000)


def order(epoch, window=50, seed=3):
    return ShardOrder(seed, SHARDS, POSITIONS, window).order(epoch)


def test_an_epoch_visits_each_sample_once_and_every_epoch_in_another_order():
    orders = [order(epoch) for epoch in range(3)] + [order(0, seed=4)]
    assert all(np.array_equal(np.sort(each), np.arange(1000)) for each in orders)
    assert len({each.tobytes() for each in orders}) == 4
    assert np.array_equal(order(1), orders[1])


def test_windows_hold_samples_that_are_stored_together():
    visited = order(0)
    shards = SHARDS[visited].reshape(20, 50)  # two windows of each shard of 100
    assert all(len({*row}) == 1 for row in shards.tolist())
    assert shards[::2, 0].tolist() == shards[1::2, 0].tolist() and {*shards[:, 0]} == {*range(10)}
    for window in range(0, 20, 2):
        halves = [POSITIONS[visited].reshape(20, 50)[window + half] for half in (0, 1)]
        assert halves[0].max() < halves[1].min()
        assert (np.diff(halves[0]) < 0).any()  # within a window they are in random order


def test_a_window_of_all_samples_mixes_all_shards():
    first = SHARDS[order(0, window=1000)][:100]
    assert np.bincount(first, minlength=10).max() < 25


def test_steps_begin_in_the_middle_of_an_epoch():
    epochs = EpochSampler(3, 1000, 16, 1, shard_order=ShardOrder(3, SHARDS, POSITIONS, 50))
    whole = [request.ids.tolist() for request in epochs.requests(0, 130)]
    assert [request.ids.tolist() for request in epochs.requests(70, 130)] == whole[70:]
    assert sorted(sample for step in whole[: epochs.steps] for sample in step) == [*range(1000)]


def experiment(setting):
    data = SimpleNamespace(order=setting, train=SimpleNamespace(name="image_folder"))
    return SimpleNamespace(data=data, seed=0)


def test_the_setting_selects_the_order_of_a_split():
    places = np.stack([SHARDS, POSITIONS], axis=1)
    train = SimpleNamespace(samples=SimpleNamespace(places=places), ids=np.array([3, 13, 5]))
    assert ShardOrder.of(experiment("random"), train) is None
    plain, set_ = (ShardOrder.of(experiment(setting), train) for setting in ("shards", ShardWindows(7)))
    assert plain.window == WINDOW and set_.window == 7
    assert plain.shards.tolist() == [0, 0, 1] and plain.positions.tolist() == POSITIONS[[3, 13, 5]].tolist()
    with pytest.raises(ExperimentError, match=r"data.order: image_folder has no shards; leave it out, or write shards"):
        ShardOrder.of(experiment("shards"), SimpleNamespace(samples=object(), ids=np.arange(2)))
