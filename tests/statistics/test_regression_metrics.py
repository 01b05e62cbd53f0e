"""Regression metrics under weights and on degenerate data, against scikit-learn and SciPy."""

import numpy as np
import pytest
from predictions import NUMBERS, assert_equal, weightings
from scipy import stats
from sklearn import metrics as sk

from ftaug.statistics import regression_metrics as metrics
from ftaug.statistics.records import WeightedRecords

ORACLES = {
    "mae": lambda r, w: sk.mean_absolute_error(r.targets, r.predictions, sample_weight=w),
    "rmse": lambda r, w: sk.root_mean_squared_error(r.targets, r.predictions, sample_weight=w),
    "r2": lambda r, w: sk.r2_score(r.targets, r.predictions, sample_weight=w),
}


@pytest.mark.parametrize("records", NUMBERS.values(), ids=NUMBERS)
def test_errors_are_sklearns(records):
    assert_equal(records, ORACLES, {name: getattr(metrics, name) for name in ORACLES})


@pytest.mark.parametrize("records", [NUMBERS["random"], NUMBERS["ties"]], ids=["random", "ties"])
def test_correlations_under_counts_are_scipys_of_the_repeated_samples(records):
    counts = weightings(records)[:, [0, 2]]
    for value, oracle in ((metrics.pearson, stats.pearsonr), (metrics.spearman, stats.spearmanr)):
        values = value(WeightedRecords(records, counts))
        for computed, count in zip(values, counts.T.astype(int), strict=True):
            pairs = zip(records.predictions.T, records.targets.T, strict=True)
            expected = [oracle(np.repeat(a, count), np.repeat(b, count)).statistic for a, b in pairs]
            assert computed == pytest.approx(np.mean(expected))
