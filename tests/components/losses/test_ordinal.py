"""Ordered classes: the loss against its formula in probabilities, the metrics against scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn import metrics as sk
from torch.nn import functional as F

from ftaug.components.losses.ordinal import mean_absolute_rank_error, ordinal, quadratic_kappa
from ftaug.interfaces.data import ClassCounts, Task

N, C = 10, 5
COUNTS = ClassCounts(torch.ones(C), C)
TASK = Task(tuple("abcde"))


def logits(classes=C):
    return torch.randn(N, classes, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 2


def targets(classes=C):
    return torch.randint(0, classes, (N,), generator=torch.Generator().manual_seed(2))


def test_it_asks_at_each_step_whether_the_class_is_above():
    z, t = logits(), targets()
    p = z.softmax(dim=1)
    total = 0.0
    for n in range(N):
        for step in range(C - 1):
            above = p[n, step + 1 :].sum()
            total -= (above if t[n] > step else 1 - above).log()
    torch.testing.assert_close(ordinal(z, t, COUNTS), total / (C - 1) / N)


def test_of_two_classes_it_is_cross_entropy():
    z, t = logits(2), targets(2)
    torch.testing.assert_close(ordinal(z, t, COUNTS), F.cross_entropy(z, t))


def test_a_far_miss_costs_more_than_a_near_one():
    sure = torch.eye(C, dtype=torch.float64) * 6
    costs = [float(ordinal(sure[i : i + 1], torch.tensor([0]), COUNTS)) for i in range(C)]
    assert costs == sorted(costs)
    assert min(np.diff(costs)) > 0.5


def test_the_chances_of_the_classes_are_what_makes_it_smallest():
    """A proper score: no other answer is better on average, so that confidence can be trusted."""
    chances = logits().softmax(dim=1)
    z = chances.log().requires_grad_()
    ordinal(z, chances, COUNTS).backward()
    torch.testing.assert_close(z.grad, torch.zeros_like(z), atol=1e-12, rtol=0)


def test_metrics_are_sklearns():
    rng = np.random.default_rng(0)
    true = rng.integers(0, C, 200)
    chances = rng.random((200, C)) + 1.2 * np.exp(-np.abs(np.arange(C) - true[:, None]))
    said = chances.argmax(axis=1)
    assert quadratic_kappa(chances, true, TASK) == pytest.approx(sk.cohen_kappa_score(said, true, weights="quadratic"))
    assert mean_absolute_rank_error(chances, true, TASK) == pytest.approx(sk.mean_absolute_error(true, said))


def test_kappa_of_one_class_is_not_a_number():
    chances = np.eye(C)[[2, 2, 2]]
    assert np.isnan(quadratic_kappa(chances, np.array([2, 2, 2]), TASK))
