"""SoftMatch against the arithmetic of its paper in NumPy."""

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax
from torch.nn.functional import cross_entropy

from ftaug.components.semi_supervised import soft_match
from ftaug.interfaces.data import SemiSupervisedViews

LABELED, WEAK, STRONG = np.random.default_rng(0).normal(size=(3, 6, 4)) * 3
TARGETS = np.array([0, 3, 1, 2, 1, 0])


class Means:
    """Means that are given, and what was observed."""

    def __init__(self, values):
        self.values = None if values is None else torch.tensor(values, dtype=torch.float64)
        self.observed = []

    def observe(self, values):
        self.observed += values.tolist()


def value_of(means, progress=1.0, **settings):
    views = SemiSupervisedViews(*(torch.from_numpy(each) for each in (LABELED, WEAK, STRONG)), means, progress)
    return float(soft_match(lambda batch: batch, views, torch.from_numpy(TARGETS), cross_entropy, **settings))


def expected_loss(mean, square, class_means, width):
    """The paper's loss; uniform alignment if there are means of the classes."""
    labeled = -log_softmax(LABELED, axis=1)[np.arange(6), TARGETS].mean()
    probabilities = softmax(WEAK, axis=1)
    aligned = probabilities / class_means
    confidence = (aligned / aligned.sum(axis=1, keepdims=True)).max(axis=1)
    deviation = np.minimum(confidence - mean, 0)
    weights = np.exp(-(deviation**2) / (2 * width**2 * (square - mean**2)))
    unlabeled = -log_softmax(STRONG, axis=1)[np.arange(6), probabilities.argmax(axis=1)]
    return labeled, (weights * unlabeled).mean(), weights


@pytest.mark.parametrize("alignment", [True, False])
def test_the_loss_is_that_of_the_paper(alignment):
    class_means = np.array([0.4, 0.3, 0.2, 0.1])
    means = Means([0.8, 0.7, *class_means])
    labeled, unlabeled, weights = expected_loss(0.8, 0.7, class_means if alignment else np.ones(4), 0.5)
    assert weights.min() < 0.9 and weights.max() == 1
    value = value_of(means, weight=2.0, alignment=alignment)
    assert value == pytest.approx(labeled + 2 * unlabeled, rel=1e-5)


def test_confidence_its_square_and_the_probabilities_are_observed():
    means = Means([0.8, 0.7, *[0.25] * 4])
    value_of(means)
    probabilities = softmax(WEAK, axis=1)
    confidence = probabilities.max(axis=1, keepdims=True)
    expected = np.concatenate([confidence, confidence**2, probabilities], axis=1)
    assert np.allclose(means.observed, expected, rtol=1e-5)


def test_the_weight_rises_from_none_and_needs_an_earlier_step():
    labeled, unlabeled, _ = expected_loss(0.8, 0.7, np.ones(4), 0.5)
    known = Means([0.8, 0.7, *[0.25] * 4])
    assert value_of(known, progress=0.0) == value_of(Means(None), progress=0.5) == pytest.approx(labeled, rel=1e-5)
    assert value_of(known, progress=0.25, ramp=0.5) == pytest.approx(labeled + unlabeled / 2, rel=1e-5)
    assert value_of(known, progress=0.0, ramp=0.0) == pytest.approx(labeled + unlabeled, rel=1e-5)


def test_pseudo_labels_have_no_gradient():
    weak = torch.from_numpy(WEAK).requires_grad_()
    strong = torch.from_numpy(STRONG).requires_grad_()
    views = SemiSupervisedViews(torch.from_numpy(LABELED), weak, strong, Means([0.5, 0.3, *[0.25] * 4]), 1.0)
    soft_match(lambda batch: batch, views, torch.from_numpy(TARGETS), cross_entropy).backward()
    assert not weak.grad.any() and strong.grad.any()
