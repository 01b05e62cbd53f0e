from dataclasses import replace

import numpy as np
import pytest
import torch
from pictures import augmentation
from reported import Samples, opened
from scipy.stats import binomtest
from torch.nn.functional import one_hot

from ftaug.config.schema import component_named
from ftaug.engine.loading.split import whole
from ftaug.errors import BadData
from ftaug.interfaces.data import Task
from ftaug.runs import invariance
from ftaug.runs.invariance import Agreement, InvarianceTest, certain, deciding_before, measure, registered_ops
from ftaug.runs.invariance import configured_ops as configured

BRIGHT = Task(("dark", "bright"))


class BrightHalf(torch.nn.Module):
    """Decides by which half, left or right, is brighter."""

    def forward(self, batch):
        mean = batch.float().mean(dim=(1, 2))
        half = mean.shape[1] // 2
        return one_hot((mean[:, half:].sum(1) > mean[:, :half].sum(1)).long(), 2).float()


@pytest.fixture
def bright():
    """A model whose decisions are known, on images of which one half is bright."""
    raw = []
    for number in range(20):
        pixels = np.full((32, 32, 3), 60, np.uint8)
        pixels[:, :16] += np.uint8(number % 2 * 100)
        pixels[:, 16:] += np.uint8((1 - number % 2) * 100)
        raw.append(pixels)
    split = whole("test", Samples(BRIGHT, raw, [1 - number % 2 for number in range(20)]), BRIGHT)
    return replace(opened("colors"), model=BrightHalf(), task=BRIGHT, stages=()), split


def agreement(bright, op, **settings):
    test = InvarianceTest(*bright, 20, None)
    return test.agreement(augmentation(op, **settings))


@pytest.mark.parametrize(
    ("op", "settings", "after", "changed"),
    [
        ("brightness", {"strength": 0.0, "probability": 1.0}, 20, 0),
        ("brightness", {"strength": 0.2, "probability": 1.0}, 20, 20),
        ("horizontal_flip", {"probability": 1.0}, 0, 20),
        ("horizontal_flip", {"probability": 0.0}, 20, 0),
        ("vertical_flip", {"probability": 1.0}, 20, 0),
        ("invert", {"probability": 1.0}, 0, 20),
    ],
)
def test_agreement_of_a_model_that_is_known(bright, op, settings, after, changed):
    result = agreement(bright, op, **settings)
    assert (result.after, result.changed, result.samples, result.before) == (after, changed, 20, None)


def test_the_same_numbers_again(bright):
    first = agreement(bright, "horizontal_flip", probability=0.5)
    assert 0 < first.after < 20 and first.after == 20 - first.changed
    assert agreement(bright, "horizontal_flip", probability=0.5) == first


def test_chance_is_the_agreement_of_two_samples(bright):
    assert InvarianceTest(*bright, 20, None).chance == 0.5


def test_intervals_are_those_of_wilson():
    facts = Agreement(after=18, before=9, changed=20, samples=20).facts
    for share, name in ((18, "interval"), (9, "interval_before")):
        assert facts[name] == pytest.approx(list(binomtest(share, 20).proportion_ci(method="wilson")))


def test_several_labels_agree_only_as_a_whole(bright):
    model, split = bright

    def labels(batch):
        bright_half = batch.float().mean(dim=(1, 2)) > 100
        return torch.stack([bright_half[:, 0], bright_half[:, -1], torch.ones(len(batch), dtype=torch.bool)], 1).float()

    task = Task(("left", "right", "image"), multi_label=True)
    model = replace(model, task=task, activation="identity", model=torch.nn.Module())
    model.model.forward = labels
    targets = np.ones((20, 3), np.uint8)
    split = replace(split, task=task, targets=targets)
    test = InvarianceTest(model, split, 20, None)
    assert test.agreement(augmentation("horizontal_flip", probability=1.0)).after == 0
    assert test.agreement(augmentation("vertical_flip", probability=1.0)).after == 20


def test_severities_and_the_settings_of_training(bright):
    model, split = bright
    flip = augmentation("horizontal_flip", probability=0.1)
    jitter = augmentation("brightness", strength=0.5)
    model = replace(model, experiment=replace(model.experiment, augment=(flip,)))
    results = list(measure(InvarianceTest(model, split, 8, None), [flip, jitter]))
    assert [list(result.by_severity) for result in results] == [[1.0], list(invariance.SEVERITIES)]
    assert results[0].in_training.after == 0  # applied each time
    assert results[1].in_training is None


def test_augmentations_that_fail_are_left_out(bright, monkeypatch):
    test = InvarianceTest(*bright, 4, None)
    applied = test.agreement

    def agreement(op):
        if op.name == "hue":
            raise BadData("this image has no color")
        return applied(op)

    monkeypatch.setattr(test, "agreement", agreement)
    ops = [augmentation("hue"), augmentation("rotate")]
    assert [result.op for result in measure(test, ops)] == ["rotate"]


def test_registered_ones_have_a_severity_and_need_nothing():
    names = {op.name for op in registered_ops(opened("colors"))}
    assert {"rotate", "horizontal_flip", "gaussian_noise"} <= names
    assert not names & {"one_of", "torchvision.RandomCrop", "corruption"}
    texts = {op.name for op in registered_ops(opened("texts"))}
    assert "delete" in texts and not texts & {"masked_fill", "synonyms"}


def test_augmentations_that_change_labels_are_left_out():
    model = opened("colors")
    flip = augmentation("horizontal_flip", label_map={"red": "blue"})
    assert [op.name for op in configured(model)] == ["rotate", "brightness", "torchvision.RandomInvert"]
    model = replace(model, experiment=replace(model.experiment, augment=(flip, augmentation("rotate"))))
    assert [op.name for op in configured(model)] == ["rotate"]


def test_certain_sets_the_probability():
    assert certain(augmentation("rotate", probability=0.1)).settings["probability"] == 1.0
    plain = component_named("augmentation", "random_crop", "image")
    assert certain(plain) is plain


def test_accuracies_are_those_of_the_samples(bright):
    model, split = bright
    test = InvarianceTest(model, split, 6, lambda batch: np.zeros(len(batch), int))
    _, before = test.accuracies
    assert before == (split.targets[test.positions] == 0).mean()


@pytest.mark.parametrize("kind", ["colors", "texts"])
def test_before_training_a_sample_is_of_the_nearest_class_mean(kind):
    model = opened(kind)
    train = model.splits["train"]
    weights = {name: tensor.clone() for name, tensor in model.model.network.state_dict().items()}
    decide = deciding_before(model, train, len(train))
    batch = model.prepare([train.samples.read(int(i)) for i in train.ids])
    decisions = decide(batch)
    if kind == "colors":  # random features tell colors apart already
        assert (decisions == train.targets).mean() > 0.9
    assert set(decisions.tolist()) <= set(train.targets.tolist())
    assert all(weights[name].equal(tensor) for name, tensor in model.model.network.state_dict().items())
