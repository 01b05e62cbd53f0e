"""Metrics of decisions – precision, recall, F1, MCC, Cohen's kappa – under many weightings at once.

Each returns a value per weighting, (draws,). Names, averages and the value of a ratio without denominator (0) are
scikit-learn's. A class that is neither present nor predicted is left out of averages, as in `ftaug.components.metrics`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np

from ftaug.statistics.records import Records, WeightedRecords, divided, mean_over_classes

Average = Literal["macro", "weighted", "micro"]


@lru_cache(maxsize=1)
def among_top_k(records: Records, k: int) -> np.ndarray:
    """Whether the class of each sample is among the k most probable, bool (n,); ties go to the first class."""
    target = np.take_along_axis(records.predictions, records.targets[:, None], axis=1)
    earlier = np.arange(records.classes) < records.targets[:, None]
    ahead = (records.predictions > target) | ((records.predictions == target) & earlier)
    return np.asarray(ahead.sum(axis=1) < k)


def precision(sample: WeightedRecords, *, average: Average = "macro") -> np.ndarray:
    """Share of the predictions of a class that are correct, averaged over classes."""
    return _averaged(sample, sample.decisions.right, sample.decisions.predicted, average)


def recall(sample: WeightedRecords, *, average: Average = "macro") -> np.ndarray:
    """Share of the samples of a class that are predicted as such, averaged over classes."""
    return _averaged(sample, sample.decisions.right, sample.decisions.present, average)


def f1(sample: WeightedRecords, *, average: Average = "macro") -> np.ndarray:
    """Harmonic mean of precision and recall of each class, averaged over classes."""
    right, predicted, present = sample.decisions
    return _averaged(sample, 2 * right, predicted + present, average)


def balanced_accuracy(sample: WeightedRecords) -> np.ndarray:
    """Mean recall of the classes that are present; with several labels, mean of recall and specificity."""
    right, predicted, present = sample.decisions
    recalls = divided(right, present)
    if not sample.records.task.multi_label:
        return mean_over_classes(recalls)
    absent = sample.total - present
    return mean_over_classes((recalls + divided(absent - (predicted - right), absent)) / 2)


def mcc(sample: WeightedRecords) -> np.ndarray:
    """Matthews correlation coefficient of K classes (Gorodkin 2004); 0 if only one class is present or predicted."""
    right, predicted, present = sample.decisions
    total = sample.total
    covariance = right.sum(axis=0) * total - (predicted * present).sum(axis=0)
    spread = (total**2 - (predicted**2).sum(axis=0)) * (total**2 - (present**2).sum(axis=0))
    return divided(covariance, np.sqrt(np.maximum(spread, 0)), otherwise=0.0)


def kappa(sample: WeightedRecords) -> np.ndarray:
    """Cohen's kappa: agreement beyond chance; nan if all samples are of one class and predicted as it (Cohen 1960)."""
    right, predicted, present = sample.decisions
    chance = divided((predicted * present).sum(axis=0), sample.total)
    return divided(right.sum(axis=0) - chance, sample.total - chance)


def kappa_quadratic(sample: WeightedRecords) -> np.ndarray:
    """Cohen's kappa with quadratic weights, for ordered classes (Cohen 1968)."""
    true, chosen = sample.records.targets.astype(float), sample.records.predicted_class.astype(float)
    disagreement = sample.mean((true - chosen) ** 2)
    by_chance = sample.mean(true**2) + sample.mean(chosen**2) - 2 * sample.mean(true) * sample.mean(chosen)
    return 1 - divided(disagreement, by_chance)


def class_f1(sample: WeightedRecords, index: int) -> np.ndarray:
    """F1 of one class; 0 if it is neither present nor predicted."""
    right, predicted, present = (counts[index] for counts in sample.decisions)
    return divided(2 * right, predicted + present, otherwise=0.0)


def _averaged(sample: WeightedRecords, numerator: np.ndarray, denominator: np.ndarray, average: Average) -> np.ndarray:
    if average == "micro":
        return divided(numerator.sum(axis=0), denominator.sum(axis=0), otherwise=0.0)
    present, predicted = sample.decisions.present, sample.decisions.predicted
    ratios = divided(numerator, denominator, otherwise=0.0)
    return mean_over_classes(ratios, present if average == "weighted" else present + predicted > 0)
