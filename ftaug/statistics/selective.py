"""Selective prediction: answer only where the model is confident (Geifman and El-Yaniv 2017)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ftaug.errors import ExperimentError
from ftaug.interfaces.data import Task


class RiskCoverage(NamedTuple):
    """Errors among the most confident samples, by how many samples are answered."""

    coverage: np.ndarray  # 1/n … 1, (n,)
    risk: np.ndarray  # mean error of that share, (n,)

    @property
    def area(self) -> float:
        """Area under the curve (AURC): the mean risk over all coverages."""
        return float(self.risk.mean()) if len(self.risk) else float("nan")


def prediction_confidence(probabilities: np.ndarray, task: Task) -> np.ndarray:
    """Return the probability that each prediction is right (n,), from probabilities (n, classes).

    That of the most probable class; with several labels, that all decisions are right if they are independent.
    """
    probabilities = np.asarray(probabilities, np.float64)
    if not task.multi_label:
        return np.asarray(probabilities.max(axis=1))
    return np.asarray(np.where(task.present(probabilities), probabilities, 1 - probabilities).prod(axis=1))


def risk_coverage(confidence: np.ndarray, errors: np.ndarray) -> RiskCoverage:
    """Compute the risk-coverage curve of errors (n,), 0 and 1 or a loss; ties share their mean error."""
    n = len(confidence)
    order = np.argsort(-confidence, kind="stable")
    _, places, counts = np.unique(-confidence[order], return_inverse=True, return_counts=True)
    means = np.bincount(places, weights=errors[order]) / counts
    answered = np.arange(1, n + 1)
    return RiskCoverage(answered / max(n, 1), np.cumsum(means[places]) / answered)


def threshold_for_coverage(confidence: np.ndarray, coverage: float) -> float:
    """Return the highest confidence such that at least this share of the samples is as confident."""
    if not 0 < coverage <= 1:
        raise ExperimentError(
            f"coverage: {coverage:g} is not a share of samples; expected a number above 0 and up to 1"
        )
    answered = int(np.ceil(coverage * len(confidence) * (1 - 1e-12)))
    return float(np.sort(confidence)[-answered]) if len(confidence) else float("nan")


class PrecisionThreshold(NamedTuple):
    """A threshold of the confidence, and the precision of the samples at or above it."""

    confidence: float
    precision: float
    samples: int


def threshold_for_precision(confidence: np.ndarray, correct: np.ndarray, precision: float) -> PrecisionThreshold | None:
    """Return the lowest confidence such that this share of the samples at or above it is right; None without one.

    Confidences and whether the predictions are right are (n,).
    """
    order = np.argsort(-confidence, kind="stable")
    samples = np.arange(1, len(order) + 1)
    shares = np.cumsum(correct[order]) / samples
    ordered = confidence[order]
    is_last = np.append(ordered[1:] < ordered[:-1], True)[: len(order)]  # of equal confidences
    reached = np.flatnonzero(is_last & (shares >= precision))
    if not len(reached):
        return None
    last = int(reached[-1])
    return PrecisionThreshold(float(ordered[last]), float(shares[last]), last + 1)
