"""Mixing batches, against the arithmetic of the papers."""

from collections import Counter
from typing import Annotated

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter
from scipy.stats import kstest
from timm.data.mixup import Mixup, mixup_target
from timm.loss import SoftTargetCrossEntropy

import ftaug.image.augmentations  # noqa: F401  registers them
from ftaug.components.losses.classification import cross_entropy
from ftaug.config.registry import REGISTRIES, Component
from ftaug.config.schema import OfKind
from ftaug.experiment_file import import_components

import_components("image")

MIX = REGISTRIES["mix", "image"]
NAMES = list(MIX)


def component(name, **settings):
    adapter = TypeAdapter(Annotated[Component, OfKind("mix")])
    return adapter.validate_python({name: settings}, context={"folder": "", "modality": "image"})


STRONG = {name: {"alpha": 1.0} for name in ("mixup", "cutmix", "fmix")}
STRONG |= {"resizemix": {}, "one_of": {"choices": ["mixup", {"cutmix": {"alpha": 1.0}}, "fmix"]}}


def batch(count, height=12, width=16):
    """Pictures of one value each, so that a result tells who is in it."""
    values = torch.arange(1, count + 1).float()
    inputs = values.view(-1, 1, 1, 1).expand(-1, 3, height, width).contiguous(memory_format=torch.channels_last)
    return inputs, torch.eye(count)


def mixed(name, count=5, seed=0, **settings):
    inputs, targets = batch(count)
    return component(name, **settings)(inputs, targets, np.random.default_rng(seed))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [1, 2, 5, 8])
@pytest.mark.parametrize("seed", range(6))
def test_targets_say_what_share_of_a_picture_is_whose(name, count, seed):
    inputs, targets = mixed(name, count, seed, **STRONG[name])
    assert targets.shape == (count, count)
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(count))
    values = torch.arange(1, count + 1).float()
    torch.testing.assert_close(inputs.mean(dim=(1, 2, 3)), targets @ values)


@pytest.mark.parametrize("name", NAMES)
def test_every_sample_meets_another_and_keeps_the_same_share(name):
    for seed in range(20):
        _, targets = mixed(name, 5, seed, **STRONG[name])
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
    result, _ = component(name, **STRONG[name])(inputs, targets, np.random.default_rng(1))
    assert torch.equal(inputs, before[0])
    assert torch.equal(targets, before[1])
    assert result.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("name", NAMES)
def test_probability_zero_changes_nothing(name):
    inputs, targets = mixed(name, 5, **STRONG[name], probability=0.0)
    assert torch.equal(inputs, batch(5)[0])
    assert torch.equal(targets, batch(5)[1])


@pytest.mark.parametrize("name", NAMES)
def test_the_same_draw_gives_the_same_batch(name):
    first, second = mixed(name, 5, 3, **STRONG[name]), mixed(name, 5, 3, **STRONG[name])
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])


def test_resizemix_pastes_all_of_the_other_picture():
    ramp = torch.linspace(0, 1, 64).expand(2, 3, 64, 64).clone()
    ramp[1] = 5 + ramp[1]
    for seed in range(10):
        result, targets = component("resizemix")(ramp, torch.eye(2), np.random.default_rng(seed))
        rows, columns = np.nonzero(result[0, 0].numpy() >= 5)
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert len(rows) == height * width
        assert targets[0].tolist() == pytest.approx([1 - len(rows) / 4096, len(rows) / 4096])
        pasted = result[0, 0, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        expected = torch.nn.functional.interpolate(ramp[1:], (height, width), mode="bilinear", antialias=True)[0, 0]
        torch.testing.assert_close(pasted, expected)
        assert 0.08 * 64 <= height <= 0.82 * 64


@pytest.mark.parametrize("name", STRONG)
def test_whole_gray_levels_are_rounded(name):
    """Pixels are uint8 on their way to the model; cut off, they would be half a level too dark on average."""
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (4, 3, 48, 48), np.uint8))
    settings = STRONG[name]
    whole, _ = component(name, **settings)(pixels, torch.eye(4), np.random.default_rng(3))
    exact, _ = component(name, **settings)(pixels.float(), torch.eye(4), np.random.default_rng(3))
    assert float((whole.float() - exact).abs().max()) <= 0.5


def test_fmix_takes_regions_and_its_shares_follow_beta():
    inputs = torch.stack([torch.zeros(3, 32, 32), torch.ones(3, 32, 32)])
    shares = []
    for seed in range(200):
        result, targets = component("fmix")(inputs, torch.eye(2), np.random.default_rng(seed))
        own = result[0, 0] == 0
        assert float(own.float().mean()) == pytest.approx(float(targets[0, 0]), abs=1e-6)
        assert torch.equal(result[0, 0], result[0, 2])
        shares.append(float(targets[0, 0]))
        edges = (own[1:] != own[:-1]).sum() + (own[:, 1:] != own[:, :-1]).sum()
        assert edges < 400, "regions, not noise: that would have about a thousand edges"
    assert kstest(shares, "uniform").pvalue > 0.001


def test_one_of_chooses_each_as_often_as_its_weight():
    inputs = torch.stack([torch.zeros(3, 8, 8), torch.ones(3, 8, 8)])
    chosen = Counter()
    mix = component("one_of", choices=[{"mixup": {"alpha": 5.0}}, "cutmix"], weights=[3, 1])
    for seed in range(400):
        result, _ = mix(inputs, torch.eye(2), np.random.default_rng(seed))
        chosen["mixup" if 0 < result[0, 0, 0, 0] < 1 else "cutmix"] += 1
    assert chosen["mixup"] / 400 == pytest.approx(0.75, abs=0.07)


@pytest.mark.parametrize("name", NAMES)
def test_any_number_of_labels(name):
    inputs, _ = batch(4)
    labels = torch.tensor([[1.0, 1, 0], [0, 1, 0], [0, 0, 0], [1, 1, 1]])
    _, targets = component(name, **STRONG[name])(inputs, labels, np.random.default_rng(2))
    assert targets.shape == labels.shape
    assert targets.min() >= 0
    assert targets.max() <= 1


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.3])
def test_labels_are_smoothed_once(smoothing):
    """timm smooths while it mixes, ftaug in the loss: the same number."""
    torch.manual_seed(0)
    classes, count = 5, 6
    logits, labels, share = torch.randn(count, classes, dtype=torch.float64), torch.arange(count) % classes, 0.3
    theirs = SoftTargetCrossEntropy()(logits, mixup_target(labels, classes, share, smoothing).double())
    one_hot = torch.eye(classes, dtype=torch.float64)[labels]
    mixed_targets = share * one_hot + (1 - share) * one_hot.flip(0)
    ours = cross_entropy(logits, mixed_targets, torch.ones(classes), label_smoothing=smoothing)
    assert float(ours) == pytest.approx(float(theirs), rel=1e-6)
    smooth = mixed_targets * (1 - smoothing) + smoothing / classes
    assert float(ours) == pytest.approx(float(-(smooth * logits.log_softmax(1)).sum() / count), rel=1e-9)


def test_mixup_is_timms_but_for_who_meets_whom():
    inputs, labels = torch.rand(4, 3, 8, 8), torch.arange(4)
    np.random.seed(0)
    mixup = Mixup(mixup_alpha=1.0, prob=1.0, label_smoothing=0.0, num_classes=4)
    theirs, targets = mixup(inputs.clone(), labels)
    share = float(targets[0, 0])
    torch.testing.assert_close(theirs, inputs.flip(0).lerp(inputs, share))
    ours, shares = component("mixup", alpha=1.0)(inputs, torch.eye(4), np.random.default_rng(0))
    own, shift = float(shares[0, 0]), int(shares[0].clone().index_fill_(0, torch.tensor(0), 0).argmax())
    torch.testing.assert_close(ours, inputs.roll(-shift, 0).lerp(inputs, own))
