"""Centred kernel alignment: the unbiased estimate, term by term, and what it is blind to."""

from itertools import permutations

import numpy as np
import pytest
import torch

from ftaug.runs.cka import alignment


def gram(features):
    return torch.from_numpy(features @ features.T)


def hsic_by_definition(k, m):
    """The U-statistic over all quadruples of different samples (Song et al. 2012, equation 4)."""
    n = len(k)
    total = 0.0
    for i, j, q, r in permutations(range(n), 4):
        total += k[i, j] * (m[i, j] + m[q, r] - 2 * m[i, q])
    return total / (n * (n - 1) * (n - 2) * (n - 3))


def test_it_is_the_u_statistic():
    rng = np.random.default_rng(0)
    one = rng.normal(size=(9, 5))
    other = one[:, :3] + 0.5 * rng.normal(size=(9, 3))
    k, m = one @ one.T, other @ other.T
    expected = hsic_by_definition(k, m) / np.sqrt(hsic_by_definition(k, k) * hsic_by_definition(m, m))
    assert alignment(gram(one), gram(other)) == pytest.approx(expected, rel=1e-6)


def test_turning_scaling_and_shifting_change_nothing():
    rng = np.random.default_rng(1)
    features = rng.normal(size=(40, 6))
    turned = 3 * features @ np.linalg.qr(rng.normal(size=(6, 6)))[0] + 5
    assert alignment(gram(features), gram(features)) == pytest.approx(1)
    assert alignment(gram(features), gram(turned)) == pytest.approx(1)


def test_features_without_relation_are_not_alike_however_many_they_are():
    rng = np.random.default_rng(2)
    one, other = rng.normal(size=(2, 60, 5000))
    assert abs(alignment(gram(one), gram(other))) < 0.1
