"""Metrics of numbers, against scikit-learn and SciPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sk

from ftaug.components import regression_metrics
from ftaug.config.kinds import metric
from ftaug.interfaces.data import Task


def numbers(seed, n=60, k=2, decimals=8):
    """What is true, and predictions that lean to it; few decimals make ties."""
    rng = np.random.default_rng(seed)
    true = (rng.normal(size=(n, k)) * [[3.0, 0.2][:k]] + 100).round(decimals).astype(np.float32)
    said = (true + rng.normal(size=(n, k)) * [[2.0, 0.3][:k]]).round(decimals).astype(np.float32)
    return said, true


def measure(name, said, true):
    task = Task(tuple(f"number {i}" for i in range(true.shape[1])), regression=True)
    return metric[name].function(said, true, task)


def by_column(function, said, true):
    return np.mean([function(a, b) for a, b in zip(said.T.astype(float), true.T.astype(float), strict=True)])


ORACLES = {
    "mae": lambda said, true: sk.mean_absolute_error(true, said),
    "rmse": lambda said, true: sk.root_mean_squared_error(true, said),
    "r2": lambda said, true: sk.r2_score(true, said),
    "pearson": lambda said, true: by_column(lambda a, b: stats.pearsonr(a, b).statistic, said, true),
    "spearman": lambda said, true: by_column(lambda a, b: stats.spearmanr(a, b).statistic, said, true),
}


def test_every_metric_of_numbers_has_an_oracle_here():
    assert {name for name in metric if "regression" in metric[name].facts["tasks"]} == set(ORACLES)


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize("decimals", [8, 1])
@pytest.mark.parametrize("k", [1, 2])
def test_metrics_are_those_of_sklearn_and_scipy(name, decimals, k):
    said, true = numbers(3, k=k, decimals=decimals)
    assert measure(name, said, true) == pytest.approx(ORACLES[name](said.astype(float), true.astype(float)), rel=1e-6)


@pytest.mark.parametrize("name", ["r2", "pearson", "spearman"])
def test_what_a_constant_leaves_undefined_is_not_a_number(name):
    said, true = numbers(1)
    for constant in (5, 0.1, 1e-20, 1234567.8):  # of which most have a mean that rounding moves
        for dtype in (np.float32, np.float64):
            true = true.astype(dtype)
            true[:, 0] = constant
            assert np.isnan(measure(name, said, true))


@pytest.mark.parametrize("name", ORACLES)
def test_nothing_measured_is_not_a_number(name):
    assert np.isnan(measure(name, np.empty((0, 2), np.float32), np.empty((0, 2), np.float32)))


@given(values=st.lists(st.integers(-5, 5), min_size=2, max_size=30))
@settings(max_examples=60, deadline=None)
def test_ranks_are_scipys(values):
    np.testing.assert_array_equal(regression_metrics._ranks(np.array(values)), stats.rankdata(values))
