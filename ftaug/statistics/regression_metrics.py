"""Regression metrics under many weightings at once; of several numbers the mean, as in scikit-learn."""

from __future__ import annotations

import numpy as np

from ftaug.statistics.records import WeightedRecords, divided, sums


def mae(sample: WeightedRecords) -> np.ndarray:
    """Mean absolute error."""
    return sample.mean(np.abs(_errors(sample)).mean(axis=1))


def rmse(sample: WeightedRecords) -> np.ndarray:
    """Root of the mean squared error of each number, averaged over the numbers."""
    return np.asarray(np.sqrt(sample.mean(_errors(sample) ** 2)).mean(axis=0))


def r2(sample: WeightedRecords) -> np.ndarray:
    """Coefficient of determination: the explained share of the variance; nan where the targets are constant."""
    true = sample.records.targets.astype(np.float64)
    deviations = [_squared_deviations(column[:, None], sample)[0] for column in true.T]
    unexplained = sums(_errors(sample) ** 2, sample.weights)
    return np.asarray((1 - divided(unexplained, np.stack(deviations))).mean(axis=0))


def pearson(sample: WeightedRecords) -> np.ndarray:
    """Pearson's correlation of predictions and targets; nan where either is constant."""
    records = sample.records
    columns = zip(records.predictions.T.astype(np.float64), records.targets.T.astype(np.float64), strict=True)
    values = [_correlation(a[:, None], b[:, None], sample) for a, b in columns]
    return np.asarray(np.mean(values, axis=0))


def spearman(sample: WeightedRecords) -> np.ndarray:
    """Spearman's rank correlation of predictions and targets, with mean ranks of ties; nan where either is constant."""
    columns = zip(sample.records.predictions.T, sample.records.targets.T, strict=True)
    values = [_correlation(_ranks(a, sample), _ranks(b, sample), sample) for a, b in columns]
    return np.asarray(np.mean(values, axis=0))


def _errors(sample: WeightedRecords) -> np.ndarray:
    return np.asarray(sample.records.predictions.astype(np.float64) - sample.records.targets)


def _squared_deviations(values: np.ndarray, sample: WeightedRecords) -> tuple[np.ndarray, np.ndarray]:
    """Weighted sum of squared deviations from the mean, 0 for constants, (draws,); and the deviations (n, draws).

    `values` is (n, 1), or (n, draws) where each draw has its own.
    """
    deviations = values - divided((values * sample.weights).sum(axis=0), sample.total, otherwise=0.0)
    total = (sample.weights * deviations**2).sum(axis=0)
    drawn = sample.weights > 0
    high, low = np.where(drawn, values, -np.inf).max(axis=0), np.where(drawn, values, np.inf).min(axis=0)
    return np.where(high > low, total, 0.0), deviations


def _correlation(first: np.ndarray, second: np.ndarray, sample: WeightedRecords) -> np.ndarray:
    (first_total, a), (second_total, b) = (_squared_deviations(side, sample) for side in (first, second))
    return divided((sample.weights * a * b).sum(axis=0), np.sqrt(first_total) * np.sqrt(second_total))


def _ranks(values: np.ndarray, sample: WeightedRecords) -> np.ndarray:
    """Weighted mid-ranks of the records in each draw, (n, draws)."""
    distinct, places = np.unique(values, return_inverse=True)
    order = np.argsort(places, kind="stable")
    starts = np.searchsorted(places[order], np.arange(len(distinct)))
    per_value = np.add.reduceat(sample.weights[order], starts, axis=0)
    return np.asarray((np.cumsum(per_value, axis=0) - per_value / 2)[places])
