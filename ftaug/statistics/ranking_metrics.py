"""Metrics of the order of probabilities – AUROC and average precision – under many weightings at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from ftaug.statistics.records import Ranking, WeightedRecords, divided, mean_over_classes

ClassAverage = Literal["macro", "weighted"]


def auroc(sample: WeightedRecords, *, average: ClassAverage = "macro") -> np.ndarray:
    """Area under the ROC curve of each class against the rest, averaged over the classes that have both."""
    return _averaged(class_auroc, sample, average)


def average_precision(sample: WeightedRecords, *, average: ClassAverage = "macro") -> np.ndarray:
    """Average precision of each class against the rest, averaged over classes; over labels it is called mAP."""
    return _averaged(class_average_precision, sample, average)


def class_auroc(sample: WeightedRecords, index: int) -> np.ndarray:
    """Area under the ROC curve of one class against the rest: the share of ordered pairs, ties count half."""
    return sample.cached(("auroc", index), lambda: _auroc(sample.ranking(index)))


def class_average_precision(sample: WeightedRecords, index: int) -> np.ndarray:
    """Average precision of one class against the rest: the step-wise area under the precision-recall curve."""
    return sample.cached(("average_precision", index), lambda: _average_precision(sample.ranking(index)))


def _auroc(ranking: Ranking) -> np.ndarray:
    positive, tied, below, negatives = ranking
    return divided((positive * (below + tied / 2)).sum(axis=0), positive.sum(axis=0) * negatives)


def _average_precision(ranking: Ranking) -> np.ndarray:
    positive, _, below, negatives = ranking
    hits = np.cumsum(positive[::-1], axis=0)[::-1]
    precisions = divided(hits, hits + negatives - below, otherwise=0.0)
    value = divided((positive * precisions).sum(axis=0), positive.sum(axis=0))
    return np.where(negatives > 0, value, np.nan)


def _averaged(
    value: Callable[[WeightedRecords, int], np.ndarray], sample: WeightedRecords, average: ClassAverage
) -> np.ndarray:
    by_class = np.stack([value(sample, index) for index in range(sample.records.classes)])
    return mean_over_classes(by_class, sample.decisions.present if average == "weighted" else None)
