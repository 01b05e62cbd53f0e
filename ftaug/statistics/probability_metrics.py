"""Metrics of the probabilities themselves – NLL, Brier score, calibration errors – under many weightings at once."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ftaug.statistics.records import KeySums, Records, WeightedRecords, divided

BINS = 15
ERF = np.frompyfunc(math.erf, 1, 1)


def nll(sample: WeightedRecords) -> np.ndarray:
    """Negative log-likelihood (scikit-learn's `log_loss`); with several labels, the mean over the labels."""
    return sample.mean(sample_nll(sample.records))


@lru_cache(maxsize=1)
def sample_nll(records: Records) -> np.ndarray:
    """Negative log-likelihood of each sample (n,); probabilities are clipped at the precision of their type."""
    probabilities, least = records.predictions, np.finfo(records.predictions.dtype).eps
    if not records.task.multi_label:
        target = np.take_along_axis(probabilities, records.targets[:, None], axis=1)[:, 0]
        return np.asarray(-np.log(np.clip(target, least, 1 - least).astype(np.float64)))
    of_truth = np.where(records.positive, probabilities, 1 - probabilities)
    return np.asarray(-np.log(np.clip(of_truth, least, 1).astype(np.float64)).mean(axis=1))


def brier(sample: WeightedRecords) -> np.ndarray:
    """Brier score: squared error of the probabilities (scikit-learn's `brier_score_loss`).

    Summed over three or more classes, so that it is at most 2; for two classes that of one; for labels their mean.
    """
    return sample.mean(sample_brier(sample.records))


@lru_cache(maxsize=1)
def sample_brier(records: Records) -> np.ndarray:
    """Brier score of each sample (n,)."""
    probabilities = records.predictions
    if records.task.multi_label:
        return np.asarray(((probabilities.astype(np.float64) - records.positive) ** 2).mean(axis=1))
    target = np.take_along_axis(probabilities, records.targets[:, None], axis=1)[:, 0].astype(np.float64)
    squares = np.einsum("ij,ij->i", probabilities, probabilities, dtype=np.float64)
    return np.asarray((squares - 2 * target + 1) / (2 if records.classes == 2 else 1))


def ece(sample: WeightedRecords, *, bins: int = BINS) -> np.ndarray:
    """Expected calibration error over bins of equal width (Guo et al. 2017)."""
    return _calibration_error(sample, _equal_width(sample.records, bins))


def ece_adaptive(sample: WeightedRecords, *, bins: int = BINS) -> np.ndarray:
    """Expected calibration error over bins of equally many decisions (Nixon et al. 2019)."""
    return _calibration_error(sample, _equal_mass(sample.records, bins))


def ece_debiased(sample: WeightedRecords, *, bins: int = BINS) -> np.ndarray:
    """Adaptive calibration error without its bias from finite bins (Kumar, Liang and Ma 2019).

    In a bin of n decisions the gap is N(gap, accuracy (1 − accuracy) / n): what its absolute value exceeds the absolute
    gap by in expectation is subtracted. Never below 0.
    """
    count, gap, accuracy = _gaps(sample, _equal_mass(sample.records, bins))
    deviation = np.sqrt(divided(accuracy * (1 - accuracy), count, otherwise=0.0))
    bias = _mean_absolute_normal(gap, deviation) - np.abs(gap)
    return np.asarray(np.maximum(divided((count * (np.abs(gap) - bias)).sum(axis=0), count.sum(axis=0)), 0))


class _Bins(NamedTuple):
    """Sums by bin: of all decisions, and of those that are right."""

    decisions: KeySums
    right: KeySums


@lru_cache(maxsize=1)
def _equal_width(records: Records, bins: int) -> _Bins:
    confidence, right = confidences(records)
    places = equal_width_bins(confidence, bins)
    return _Bins(KeySums(places, bins), KeySums(places[right], bins, right))


@lru_cache(maxsize=1)
def _equal_mass(records: Records, bins: int) -> _Bins:
    confidence, right = confidences(records)
    places = equal_mass_bins(confidence, bins)
    return _Bins(KeySums(places, bins), KeySums(places[right], bins, right))


@lru_cache(maxsize=1)
def confidences(records: Records) -> tuple[np.ndarray, np.ndarray]:
    """Confidence of each decision and whether it is right; every label of a sample is a decision, row by row."""
    if records.task.multi_label:
        confidence = np.maximum(records.predictions, 1 - records.predictions)
        right = (records.predictions > 0.5) == records.positive
        return confidence.ravel().astype(np.float64), right.ravel()
    return records.predictions.max(axis=1).astype(np.float64), records.correct


def equal_width_bins(confidence: np.ndarray, bins: int) -> np.ndarray:
    """Index of the bin (low, high] of each confidence."""
    return np.asarray(np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1))


def equal_mass_bins(confidence: np.ndarray, bins: int) -> np.ndarray:
    """Index of the bin of each confidence, where bins hold equally many; equal confidences share a bin."""
    edges = np.quantile(confidence, np.arange(1, bins) / bins) if len(confidence) else np.empty(0)
    return np.searchsorted(edges, confidence, side="left")


def _gaps(sample: WeightedRecords, bins: _Bins) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weight, accuracy − confidence, and accuracy of each bin, (bins, draws)."""
    return sample.cached(bins, lambda: _compute_gaps(sample, bins))


def _compute_gaps(sample: WeightedRecords, bins: _Bins) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    confidence, _ = confidences(sample.records)
    per_record = len(confidence) // max(len(sample.records), 1)
    weights = np.repeat(sample.by_draw, per_record, axis=1) if per_record > 1 else sample.by_draw
    count, correct, certain = bins.decisions(weights), bins.right(weights), bins.decisions(weights * confidence)
    gap = divided(correct - certain, count, otherwise=0.0)
    return count, gap, divided(correct, count, otherwise=0.0)


def _calibration_error(sample: WeightedRecords, bins: _Bins) -> np.ndarray:
    count, gap, _ = _gaps(sample, bins)
    return divided((count * np.abs(gap)).sum(axis=0), count.sum(axis=0))


def _mean_absolute_normal(mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Expected absolute value of N(mean, deviation²), the folded normal distribution."""
    ratio = divided(mean, deviation, otherwise=np.inf) / math.sqrt(2)
    erf = np.asarray(ERF(ratio), np.float64)
    with_spread = deviation * math.sqrt(2 / math.pi) * np.exp(-(ratio**2)) + mean * erf
    return np.where(deviation > 0, with_spread, np.abs(mean))
