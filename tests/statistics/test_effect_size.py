"""The variance that a factor explains, against its definition and against chance."""

import numpy as np
import pytest

from ftaug.statistics.effect_size import epsilon_squared, quantile_groups


def test_a_factor_that_determines_everything_explains_everything():
    groups = np.repeat([0, 1, 2], 10)
    assert epsilon_squared(groups, groups.astype(float)) == pytest.approx(1)


def test_it_follows_from_the_f_statistic():
    """ε² = (F − 1) · df / (F · df + residual df), with F of scikit-learn's analysis of variance."""
    from sklearn.feature_selection import f_classif

    rng = np.random.default_rng(0)
    groups = rng.integers(0, 3, 40)
    values = groups + rng.normal(size=40)
    f = float(f_classif(values[:, None], groups)[0][0])
    expected = (f - 1) * 2 / (f * 2 + 37)
    assert epsilon_squared(groups, values) == pytest.approx(expected)


def test_a_factor_without_effect_explains_nothing_on_average():
    rng = np.random.default_rng(1)
    values = [epsilon_squared(quantile_groups(rng.random(30)), rng.normal(size=30)) for _ in range(300)]
    assert np.mean(values) < 0.06  # negative estimates count as 0


@pytest.mark.parametrize("values", [[1.0], [1.0, 1.0, 1.0], []])
def test_too_little_data_explains_nothing(values):
    assert epsilon_squared(np.arange(len(values)), np.array(values or [0.0])[: len(values) or 0]) == 0


def test_numbers_are_grouped_by_quantiles():
    groups = quantile_groups(np.arange(40.0))
    assert np.bincount(groups).tolist() == [10, 10, 10, 10]
    assert np.bincount(quantile_groups(np.arange(10.0))).tolist() == [5, 5]
