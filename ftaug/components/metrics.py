"""Metrics of predicted probabilities against targets, in numpy. Several labels: a label is predicted above 1/2."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ftaug.config.kinds import metric
from ftaug.interfaces import Task

Average = Literal["macro", "weighted", "micro"]


@metric.register
def accuracy(probabilities: np.ndarray, targets: np.ndarray, task: Task) -> float:
    """Share of samples whose class is right; with several labels, of samples whose labels are all right."""
    if task.multi_label:
        return float(np.mean(np.all((probabilities > 0.5) == (targets > 0), axis=1)))
    return float(np.mean(probabilities.argmax(axis=1) == targets))


@metric.register
def f1(probabilities: np.ndarray, targets: np.ndarray, task: Task, *, average: Average = "macro") -> float:
    """Harmonic mean of precision and recall, averaged over the classes.

    Settings:
        average: macro: every class counts the same; weighted: by its samples; micro: over all decisions at once
    """
    hits, predicted, actual = decisions(probabilities, targets, task)
    return _averaged(2 * hits, predicted + actual, predicted + actual > 0, actual, average)


def decisions(probabilities: np.ndarray, targets: np.ndarray, task: Task) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per class: how often it was predicted rightly, how often predicted, how often there."""
    if task.multi_label:
        said, there = probabilities > 0.5, targets > 0
        return (said & there).sum(axis=0), said.sum(axis=0), there.sum(axis=0)
    said, classes = probabilities.argmax(axis=1), probabilities.shape[1]
    counts = [np.bincount(x, minlength=classes) for x in (said[said == targets], said, targets)]
    return counts[0], counts[1], counts[2]


def _averaged(
    numerator: np.ndarray, denominator: np.ndarray, counted: np.ndarray, actual: np.ndarray, average: Average
) -> float:
    """Average the ratio over the counted classes; a ratio without denominator is 0."""
    if average == "micro":
        return float(numerator.sum() / max(denominator.sum(), 1))
    ratio = numerator / np.maximum(denominator, 1)
    weights = actual if average == "weighted" else counted
    return float(np.average(ratio, weights=weights)) if weights.any() else float("nan")
