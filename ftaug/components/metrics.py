"""Metrics of predicted probabilities against targets. Several labels: each is predicted above its threshold, or 1/2.

All in numpy: 100 000 samples of 1000 classes take seconds. A class that is neither there nor predicted is left out of
averages, and a metric that is left with nothing is not a number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Literal, NamedTuple

import numpy as np

from ftaug.config.kinds import metric
from ftaug.config.types import Count, Doc
from ftaug.interfaces.data import Task

Average = Annotated[
    Literal["macro", "weighted", "micro"],
    Doc("macro: every class counts the same; weighted: by its samples; micro: all decisions together"),
]
ClassAverage = Annotated[
    Literal["macro", "weighted"], Doc("macro: every class counts the same; weighted: by its samples")
]
ROWS = 4096


class Decisions(NamedTuple):
    """Counts per class: true positives, predicted positives, actual positives."""

    right: np.ndarray
    predicted: np.ndarray
    there: np.ndarray


def decisions(probabilities: np.ndarray, targets: np.ndarray, task: Task) -> Decisions:
    """Count true positives, predicted positives and actual positives of each class."""
    if task.multi_label:
        predicted, there = task.present(probabilities), targets > 0
        return Decisions((predicted & there).sum(axis=0), predicted.sum(axis=0), there.sum(axis=0))
    chosen, classes = probabilities.argmax(axis=1), probabilities.shape[1]
    return Decisions(*(np.bincount(x, minlength=classes) for x in (chosen[chosen == targets], chosen, targets)))


@metric.register(proportion=True)
def accuracy(probabilities: np.ndarray, targets: np.ndarray, task: Task) -> float:
    """Share of correctly classified samples; with several labels, of samples whose labels are all correct."""
    if task.multi_label:
        return _mean(np.all(task.present(probabilities) == (targets > 0), axis=1))
    return _mean(probabilities.argmax(axis=1) == targets)


@metric.register(proportion=True)
def top_k(probabilities: np.ndarray, targets: np.ndarray, task: Task, *, k: Count = 5) -> float:
    """Share of samples whose class is among the k most likely; with several labels, whose labels all are.

    Settings:
        k: how many classes are looked at; of equally likely ones the first in the list of classes
    """
    hits = [_top_k(probabilities[rows], targets[rows], k, task) for rows in _chunks(len(probabilities))]
    return _mean(np.concatenate(hits)) if hits else float("nan")


@metric.register
def precision(probabilities: np.ndarray, targets: np.ndarray, task: Task, *, average: Average = "macro") -> float:
    """Precision of each class, averaged: the share of predictions of the class that are correct."""
    seen = decisions(probabilities, targets, task)
    return _averaged(seen.right, seen.predicted, seen, average)


@metric.register
def recall(probabilities: np.ndarray, targets: np.ndarray, task: Task, *, average: Average = "macro") -> float:
    """Recall of each class, averaged: the share of its samples that are predicted."""
    seen = decisions(probabilities, targets, task)
    return _averaged(seen.right, seen.there, seen, average)


@metric.register
def f1(probabilities: np.ndarray, targets: np.ndarray, task: Task, *, average: Average = "macro") -> float:
    """Harmonic mean of precision and recall of each class, averaged."""
    seen = decisions(probabilities, targets, task)
    return _averaged(2 * seen.right, seen.predicted + seen.there, seen, average)


@metric.register
def balanced_accuracy(probabilities: np.ndarray, targets: np.ndarray, task: Task) -> float:
    """Mean recall over the classes; with several labels, of recall and specificity."""
    right, predicted, there = decisions(probabilities, targets, task)
    recalls = right / np.maximum(there, 1)
    if not task.multi_label:
        return _mean(recalls[there > 0])
    absent = len(targets) - there
    left_alone = (absent - (predicted - right)) / np.maximum(absent, 1)
    return _mean(((recalls + left_alone) / 2)[(there > 0) & (absent > 0)])


@metric.register
def auroc(probabilities: np.ndarray, targets: np.ndarray, task: Task, *, average: ClassAverage = "macro") -> float:
    """Area under the ROC curve of each class against the rest, averaged."""
    return _ranked(_area, probabilities, targets, task, average)


@metric.register
def average_precision(
    probabilities: np.ndarray, targets: np.ndarray, task: Task, *, average: ClassAverage = "macro"
) -> float:
    """Area under the precision-recall curve of each class against the rest, in steps (mean: mAP)."""
    return _ranked(_stepped_precision, probabilities, targets, task, average)


@metric.register(higher_is_better=False)
def ece(probabilities: np.ndarray, targets: np.ndarray, task: Task, *, bins: Count = 15) -> float:
    """Expected calibration error: mean difference of confidence and accuracy in equal-width bins (Guo et al. 2017).

    With several labels, every label of every sample is a decision of its own.

    Settings:
        bins: how many bins from 0 to 1
    """
    if task.multi_label:
        confidence = np.maximum(probabilities, 1 - probabilities).ravel().astype(np.float64)
        right = ((probabilities > 0.5) == (targets > 0)).ravel()
    else:
        confidence = probabilities.max(axis=1).astype(np.float64)
        right = probabilities.argmax(axis=1) == targets
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(place, weights=right, minlength=bins) - np.bincount(place, weights=confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence)) if len(confidence) else float("nan")


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _averaged(numerator: np.ndarray, denominator: np.ndarray, seen: Decisions, average: Average) -> float:
    """Average the ratio over the classes; the ratio of a class without denominator is 0."""
    if average == "micro":
        return float(numerator.sum() / denominator.sum()) if denominator.any() else 0.0
    ratio = numerator / np.maximum(denominator, 1)
    return _weighted(ratio, seen.there if average == "weighted" else seen.there + seen.predicted > 0)


def _weighted(values: np.ndarray, weights: np.ndarray) -> float:
    return float(np.average(values, weights=weights)) if weights.any() else float("nan")


def _chunks(length: int) -> Iterator[slice]:
    return (slice(start, start + ROWS) for start in range(0, length, ROWS))


def _top_k(probabilities: np.ndarray, targets: np.ndarray, k: int, task: Task) -> np.ndarray:
    """Whether all true classes of a sample are among the k most probable, per sample (n,)."""
    k = min(k, probabilities.shape[1])
    least = -np.partition(-probabilities, k - 1, axis=1)[:, k - 1 : k]
    above, level = probabilities > least, probabilities == least
    taken: np.ndarray = above | (level & (np.cumsum(level, axis=1) <= k - above.sum(axis=1, keepdims=True)))
    if task.multi_label:
        return np.asarray((taken | (targets == 0)).all(axis=1))
    return np.take_along_axis(taken, targets[:, None], axis=1)[:, 0]


def _ranked(
    value: Callable[[np.ndarray, np.ndarray], float],
    probabilities: np.ndarray,
    targets: np.ndarray,
    task: Task,
    average: ClassAverage,
) -> float:
    """Average over the classes a function of the sorted probabilities of positives and negatives."""
    values, weights = [], []
    for index, column in enumerate(np.ascontiguousarray(probabilities.T)):
        there = targets[:, index] > 0 if task.multi_label else targets == index
        count = int(there.sum())
        if 0 < count < len(there):
            values.append(value(np.sort(column[there]), np.sort(column[~there])))
            weights.append(count if average == "weighted" else 1)
    return _weighted(np.array(values), np.array(weights))


def _area(there: np.ndarray, absent: np.ndarray) -> float:
    """Mann-Whitney statistic (AUROC): share of correctly ordered pairs, ties count half."""
    below, up_to = np.searchsorted(absent, there, "left"), np.searchsorted(absent, there, "right")
    return float((below.mean() + up_to.mean()) / 2 / len(absent))


def _stepped_precision(there: np.ndarray, absent: np.ndarray) -> float:
    """Average precision of a class: mean over its samples of the precision at their probability as threshold."""
    hits = len(there) - np.searchsorted(there, there, "left")
    misses = len(absent) - np.searchsorted(absent, there, "left")
    return float(np.mean(hits / (hits + misses)))
