"""Objectives without labels, against the arithmetic of their papers in NumPy."""

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from ftaug.components.self_supervised import feature_distillation, instance, simclr, vicreg
from ftaug.errors import Diverged

FIRST, SECOND = np.random.default_rng(0).normal(size=(2, 6, 4))
VIEWS = [torch.from_numpy(view) for view in (FIRST, SECOND)]


def identity(batch):
    return batch


def test_instance_is_smoothed_cross_entropy_of_the_samples():
    logits, targets = FIRST, np.array([3, 0, 1, 2, 3, 3])
    smoothed = 0.2 * np.eye(4)[targets] + 0.8 / 4
    expected = -(smoothed * log_softmax(logits, axis=1)).sum(axis=1).mean()
    value = instance(identity, [VIEWS[0]], torch.from_numpy(targets), None)
    assert float(value) == pytest.approx(expected, rel=1e-5)


def test_vicreg_has_the_three_terms_of_the_paper():
    distance = ((FIRST - SECOND) ** 2).mean()
    hinge = sum(np.maximum(0, 1 - np.sqrt(view.var(axis=0, ddof=1) + 1e-4)).mean() / 2 for view in (FIRST, SECOND))
    covariances = [np.cov(view, rowvar=False) for view in (FIRST, SECOND)]
    redundancy = sum(((c - np.diag(np.diag(c))) ** 2).sum() / 4 for c in covariances)
    value = vicreg(identity, VIEWS, None, None, invariance=2.0, variance=3.0, covariance=5.0)
    assert float(value) == pytest.approx(2 * distance + 3 * hinge + 5 * redundancy, rel=1e-5)


def test_a_collapsed_embedding_ends_training():
    same = torch.ones(6, 4) + 1e-5 * torch.randn(6, 4)
    with pytest.raises(Diverged, match="training collapsed: all samples have the same embedding"):
        vicreg(identity, [same, same], None, None)
    vicreg(identity, [VIEWS[0][:1], VIEWS[1][:1]], None, None)  # of one sample nothing is known


def test_simclr_tells_the_other_view_from_all_other_samples():
    rows = np.concatenate([FIRST, SECOND])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    terms = []
    for i in range(12):
        others = [j for j in range(12) if j != i]
        cosines = np.array([rows[i] @ rows[j] for j in others]) / 0.3
        terms.append(-log_softmax(cosines)[others.index((i + 6) % 12)])
    value = simclr(identity, VIEWS, None, None, temperature=0.3)
    assert float(value) == pytest.approx(np.mean(terms), rel=1e-5)


def test_feature_distillation_is_the_smooth_l1_distance_of_the_targets():
    distance = np.abs(FIRST - SECOND)
    expected = np.where(distance < 2, distance**2 / 4, distance - 1).mean()
    value = feature_distillation(identity, [VIEWS[0]], VIEWS[1].float(), None, teacher=None)
    assert float(value) == pytest.approx(expected, rel=1e-5) and (distance > 2).any()
