"""Regression metrics, in the units of the data; of several numbers the mean.

A metric is not a number where it is not defined, such as a correlation with a constant.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ftaug.config.kinds import metric
from ftaug.interfaces.data import Task


@metric.register(higher_is_better=False, tasks=("regression",))
def mae(probabilities: np.ndarray, targets: np.ndarray, task: Task) -> float:
    """Mean absolute error, in the units of the data."""
    return _mean(np.abs(_wide(probabilities) - targets).mean(axis=0)) if len(targets) else float("nan")


@metric.register(higher_is_better=False, tasks=("regression",))
def rmse(probabilities: np.ndarray, targets: np.ndarray, task: Task) -> float:
    """Root of the mean squared error, in the units of the data."""
    if not len(targets):
        return float("nan")
    return _mean(np.sqrt(((_wide(probabilities) - targets) ** 2).mean(axis=0)))


@metric.register(tasks=("regression",))
def r2(probabilities: np.ndarray, targets: np.ndarray, task: Task) -> float:
    """Coefficient of determination: the share of the variance that is explained; 0 is no better than the mean.

    It is not a number where the targets are constant.
    """
    return _by_number(_explained, probabilities, targets)


@metric.register(tasks=("regression",))
def pearson(probabilities: np.ndarray, targets: np.ndarray, task: Task) -> float:
    """Pearson's correlation of predictions and targets, from −1 to 1."""
    return _by_number(_correlation, probabilities, targets)


@metric.register(tasks=("regression",))
def spearman(probabilities: np.ndarray, targets: np.ndarray, task: Task) -> float:
    """Spearman's rank correlation of predictions and targets, from −1 to 1."""
    return _by_number(lambda a, b: _correlation(_ranks(a), _ranks(b)), probabilities, targets)


def _by_number(value: Callable[[np.ndarray, np.ndarray], float], predicted: np.ndarray, true: np.ndarray) -> float:
    return _mean(np.array([value(a, b) for a, b in zip(_wide(predicted).T, _wide(true).T, strict=True)]))


def _explained(predicted: np.ndarray, true: np.ndarray) -> float:
    if not len(true) or np.ptp(true) == 0:  # the sum of squares of a constant is seldom exactly 0
        return float("nan")
    return float(1 - ((true - predicted) ** 2).sum() / ((true - true.mean()) ** 2).sum())


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    if not len(first) or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    first, second = first - first.mean(), second - second.mean()
    return float((first / np.linalg.norm(first)) @ (second / np.linalg.norm(second)))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Rank values from 1; ties get their mean rank."""
    place, counts = np.unique(values, return_inverse=True, return_counts=True)[1:]
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[place])


def _wide(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, np.float64)


def _mean(values: np.ndarray) -> float:
    return float(values.mean())
