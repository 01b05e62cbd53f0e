"""Metrics of the order of probabilities – AUROC and average precision – under many weightings at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from ftaug.statistics.records import WeightedRecords, divided, mean_over_classes

ClassAverage = Literal["macro", "weighted"]


class Ranked(NamedTuple):
    """Weights of positives and negatives at each distinct probability, ascending, (values, draws)."""

    positive: np.ndarray
    negative: np.ndarray


def auroc(sample: WeightedRecords, *, average: ClassAverage = "macro") -> np.ndarray:
    """Area under the ROC curve of each class against the rest, averaged over the classes that have both."""
    return _averaged(class_auroc, sample, average)


def average_precision(sample: WeightedRecords, *, average: ClassAverage = "macro") -> np.ndarray:
    """Average precision of each class against the rest, averaged over classes; over labels it is called mAP."""
    return _averaged(class_average_precision, sample, average)


def class_auroc(sample: WeightedRecords, index: int) -> np.ndarray:
    """Area under the ROC curve of one class against the rest: the share of ordered pairs, ties count half."""
    positive, negative = ranked(sample, index)
    below = np.cumsum(negative, axis=0) - negative / 2
    return divided((positive * below).sum(axis=0), positive.sum(axis=0) * negative.sum(axis=0))


def class_average_precision(sample: WeightedRecords, index: int) -> np.ndarray:
    """Average precision of one class against the rest: the step-wise area under the precision-recall curve."""
    positive, negative = ranked(sample, index)
    hits, misses = (np.cumsum(side[::-1], axis=0) for side in (positive, negative))
    precisions = divided(hits, hits + misses, otherwise=0.0)
    value = divided((positive[::-1] * precisions).sum(axis=0), positive.sum(axis=0))
    return np.where(negative.sum(axis=0) > 0, value, np.nan)


def ranked(sample: WeightedRecords, index: int) -> Ranked:
    """Sort the weights of the records by their probability of a class, and add up those of equal probability."""
    column = sample.records.predictions[:, index]
    order = np.argsort(column, kind="stable")
    weights, positive = sample.weights[order], sample.records.positive[order, index, None]
    starts = np.unique(column[order], return_index=True)[1]
    if len(starts) < len(order):
        sides = (np.add.reduceat(weights * side, starts, axis=0) for side in (positive, ~positive))
        return Ranked(*sides)
    return Ranked(weights * positive, weights * ~positive)


def _averaged(
    value: Callable[[WeightedRecords, int], np.ndarray], sample: WeightedRecords, average: ClassAverage
) -> np.ndarray:
    by_class = np.stack([value(sample, index) for index in range(sample.records.classes)])
    return mean_over_classes(by_class, sample.decisions.present if average == "weighted" else None)
