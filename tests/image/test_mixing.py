"""Mixing batches, against the arithmetic of the papers."""

import numpy as np
import pytest
import torch

import ftaug.image.augmentations  # noqa: F401  registers them
from ftaug.config.registry import REGISTRIES

MIX = REGISTRIES["mix", "image"]
NAMES = list(MIX)


def batch(count, height=12, width=16):
    """Pictures of one value each, so that a result tells who is in it."""
    values = torch.arange(1, count + 1).float()
    inputs = values.view(-1, 1, 1, 1).expand(-1, 3, height, width).contiguous(memory_format=torch.channels_last)
    return inputs, torch.eye(count)


def mixed(name, count=5, seed=0, **settings):
    inputs, targets = batch(count)
    return MIX[name].function(inputs, targets, np.random.default_rng(seed), **settings)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [1, 2, 5, 8])
@pytest.mark.parametrize("seed", range(6))
def test_targets_say_what_share_of_a_picture_is_whose(name, count, seed):
    inputs, targets = mixed(name, count, seed, alpha=1.0)
    assert targets.shape == (count, count)
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(count))
    values = torch.arange(1, count + 1).float()
    torch.testing.assert_close(inputs.mean(dim=(1, 2, 3)), targets @ values)


@pytest.mark.parametrize("name", NAMES)
def test_every_sample_meets_another_and_keeps_the_same_share(name):
    for seed in range(20):
        _, targets = mixed(name, 5, seed, alpha=1.0)
        own = targets.diagonal()
        torch.testing.assert_close(own, own[:1].expand(5))
        if own[0] < 1:
            assert (targets > 0).sum(dim=1).tolist() == [2] * 5


def test_shares_of_mixup_follow_beta():
    shares = np.sort([float(mixed("mixup", 4, seed, alpha=1.0)[1][0, 0]) for seed in range(400)])
    assert np.abs(shares - np.linspace(0, 1, 400)).max() < 0.08, "Beta(1, 1) is uniform"


def test_cutmix_keeps_the_share_that_beta_says_where_it_is_not_clipped():
    """The largest pasted area of each draw is 1 - Beta; clipping can only make it less."""
    kept = np.array([float(mixed("cutmix", 4, seed, alpha=1.0)[1][0, 0]) for seed in range(400)])
    assert kept.min() < 0.4
    assert kept.max() > 0.99
    assert 0.5 < kept.mean() < 0.85


def test_a_small_alpha_mixes_little():
    share = np.array([float(mixed("mixup", 4, seed, alpha=0.1)[1][0, 0]) for seed in range(200)])
    assert np.mean(np.minimum(share, 1 - share) < 0.05) > 0.6


@pytest.mark.parametrize("seed", range(20))
def test_cutmix_pastes_one_rectangle(seed):
    inputs, targets = mixed("cutmix", 3, seed, alpha=1.0)
    foreign = (inputs[0] != 1).all(dim=0)
    rows, columns = torch.nonzero(foreign, as_tuple=True)
    assert 1 - float(targets[0, 0]) == pytest.approx(foreign.float().mean().item())
    if len(rows):
        assert foreign[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].all()


@pytest.mark.parametrize("name", NAMES)
def test_inputs_are_left_alone_and_the_layout_stays(name):
    inputs, targets = batch(5)
    before = inputs.clone(), targets.clone()
    result, _ = MIX[name].function(inputs, targets, np.random.default_rng(1), alpha=1.0)
    assert torch.equal(inputs, before[0])
    assert torch.equal(targets, before[1])
    assert result.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("name", NAMES)
def test_probability_zero_changes_nothing(name):
    inputs, targets = mixed(name, 5, probability=0.0)
    assert torch.equal(inputs, batch(5)[0])
    assert torch.equal(targets, batch(5)[1])


@pytest.mark.parametrize("name", NAMES)
def test_the_same_draw_gives_the_same_batch(name):
    first, second = mixed(name, 5, 3), mixed(name, 5, 3)
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
