"""Mixing of packed sounds and their targets."""

import numpy as np
import pytest
import torch
from sounds import augmentation, noise

from ftaug.audio.packed import BEGIN, END, HEADER, pack


@pytest.fixture
def batch():
    rows = [pack(noise(seed=seed), 10 * seed, 8000 + 1000 * seed) for seed in range(4)]
    return torch.from_numpy(np.stack(rows)), torch.eye(4)


def mixed(batch, name, seed=0, **settings):
    return augmentation(name, "mix", **settings)(*batch, np.random.default_rng(seed))


def test_mixup_is_the_mean_that_its_targets_tell(batch):
    inputs, targets = mixed(batch, "mixup", alpha=1.0)
    np.testing.assert_allclose(targets.sum(dim=1), 1, atol=1e-6)
    waves = batch[0][:, HEADER:]
    torch.testing.assert_close(inputs[:, HEADER:], targets @ waves)
    pairs = targets > 0
    for row, pair in zip(inputs, pairs, strict=True):
        assert row[BEGIN] == batch[0][pair, BEGIN].min()
        assert row[END] == batch[0][pair, END].max()


def test_cutmix_replaces_a_stretch_as_long_as_its_targets_tell(batch):
    inputs, targets = mixed(batch, "cutmix")
    for place in range(4):
        other = int(targets[place].masked_fill(torch.eye(4)[place] > 0, 0).argmax())
        is_own = inputs[place, HEADER:] == batch[0][place, HEADER:]
        is_other = inputs[place, HEADER:] == batch[0][other, HEADER:]
        assert (is_own | is_other).all()
        assert is_other.float().mean() == pytest.approx(float(targets[place, other]), abs=1e-4)
        assert (is_other.int().diff() != 0).sum() <= 2


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_nothing_is_mixed_where_it_does_not_fire(batch, name):
    inputs, targets = mixed(batch, name, probability=0.0)
    assert torch.equal(inputs, batch[0]) and torch.equal(targets, batch[1])
    one = (batch[0][:1], batch[1][:1])
    assert torch.equal(mixed(one, name)[0], one[0])
