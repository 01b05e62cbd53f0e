from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from explained import pixels
from torch import nn

from ftaug.config.registry import Component
from ftaug.engine.training.state import Model
from ftaug.experiment_file import import_components
from ftaug.image import explainer
from ftaug.interfaces.explanation import Attribution
from ftaug.runs.explanation.checks import TestSample as Sample
from ftaug.runs.explanation.checks import check_weights, gini, with_road
from ftaug.runs.explanation.explained_model import ExplainedModel

import_components("image")


class CornerNetwork(nn.Module):
    """The brightness of the top right corner decides between two classes."""

    def __init__(self):
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(32, 32))
        with torch.no_grad():
            self.weights[:8, 24:] = 1 / 64 / 10

    def forward(self, inputs):
        value = (inputs.float().mean(dim=1) * self.weights).sum(dim=(1, 2)) - 12.7
        return torch.stack([-value, value], dim=1)


@pytest.fixture
def model():
    return ExplainedModel(Model(nn.Identity(), CornerNetwork(), nn.Identity()).eval(), (), "softmax", 16)


OPENED = SimpleNamespace(preprocessing={"size": [32, 32]}, experiment=SimpleNamespace(modality="image"))


@pytest.fixture
def samples():
    drawn = []
    for seed in range(4):
        picture = pixels(seed=seed) // 2
        picture[:, :, :8, 24:] = 255
        drawn.append(Sample(picture, 1))
    return drawn


@pytest.fixture
def register(monkeypatch):
    monkeypatch.setattr(explainer, "_entries", dict(explainer._entries))

    def add(function):
        explainer.register(function)
        return Component("explainer", function.__name__, {}, "image")

    return add


def edges(output, sample):
    """Edge detector, which does not look at the network."""
    gray = sample[0].float().mean(dim=0).numpy()
    return Attribution(np.abs(cv2.Laplacian(gray, cv2.CV_32F)).astype(np.float64))


def constant(output, sample):
    """The same everywhere."""
    return Attribution(np.ones((4, 4)))


def infinite(output, sample):
    """Not a number."""
    return Attribution(np.full((4, 4), np.nan))


def test_an_edge_detector_is_refused_with_the_figure(register, model, samples):
    check = check_weights(register(edges), model, samples)
    assert check.correlation == pytest.approx(1)
    assert check.refused == "its maps survive re-drawn weights: their rank correlation is 1.00 (limit 0.5)"


@pytest.mark.parametrize(("function", "reason"), [(constant, "a constant map"), (infinite, "not finite numbers")])
def test_maps_without_content_are_refused(function, reason, register, model, samples):
    check = check_weights(register(function), model, samples)
    assert check.correlation is None
    assert reason in check.refused


def test_methods_that_see_the_network_pass_and_road_finds_the_right_one(model, samples):
    occlusion = Component("explainer", "occlusion", {"cells": 8}, "image", "ftaug.image.explainers.occlusion")
    check = check_weights(occlusion, model, samples)
    assert not check.refused
    assert abs(check.correlation) < 0.5
    faithful = with_road(check, occlusion, model, samples, OPENED)
    assert 0.2 < faithful.road <= 0.5
    assert faithful.sparseness > 0.9
    assert torch.count_nonzero(model.model.network.weights) == 64


def test_road_of_a_map_that_is_wrong_is_negative(register, model, samples):
    def wrong(output, sample):
        """The opposite corner counts."""
        values = np.zeros((8, 8))
        values[:2, 6:] = -1
        return Attribution(values)

    assert (
        with_road(check_weights(register(wrong), model, samples), register(wrong), model, samples, OPENED).road < -0.2
    )


def test_gini():
    assert gini(np.ones((3, 3))) == pytest.approx(0)
    assert gini(np.array([0, 0, 0, 1.0])) == pytest.approx(0.75)
    assert gini(np.zeros(4)) == 0
    values = np.random.default_rng(0).random(50)
    pairs = np.abs(values[:, None] - values).mean()
    assert gini(values) == pytest.approx(pairs / 2 / values.mean())
