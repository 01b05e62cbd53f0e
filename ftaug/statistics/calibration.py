"""Post-hoc calibration of logits: temperature and vector scaling, fitted by likelihood (Guo et al. 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from ftaug.errors import BadData
from ftaug.interfaces.data import Task
from ftaug.statistics.intervals import wilson
from ftaug.statistics.minimize import minimize
from ftaug.statistics.probability_metrics import BINS, confidences, equal_width_bins
from ftaug.statistics.records import Records

PER_CLASS = 100
"""Number of samples of every class from which vector scaling is fitted: it has two parameters a class."""
LARGEST_SCALE = 1e4


@dataclass(frozen=True)
class Scaling:
    """Calibrated logits are `scale * logits + bias`; of temperature scaling, scale is 1 / temperature and bias 0."""

    scale: tuple[float, ...]  # one for all classes, or one a class
    bias: tuple[float, ...]

    @property
    def temperature(self) -> float | None:
        """The temperature that logits are divided by; None in vector scaling."""
        return 1 / self.scale[0] if len(self.scale) == 1 else None

    def logits(self, logits: np.ndarray) -> np.ndarray:
        """Calibrate logits (n, classes)."""
        return np.asarray(logits * np.array(self.scale) + np.array(self.bias))


def fit_temperature(logits: np.ndarray, targets: np.ndarray, task: Task) -> Scaling:
    """Fit the temperature with the least NLL: the most probable class of a sample does not change.

    The NLL is convex in 1 / temperature. Of logits that are all right it falls without end; the scale is then bounded.
    """
    _check(logits, targets)
    logits = np.asarray(logits, np.float64)

    def slope(scale: float) -> float:
        excess = _probabilities(scale * logits, task) - _one_hot(targets, logits.shape[1], task)
        return float((excess * logits).sum())

    low, high = 0.0, 1.0
    while high < LARGEST_SCALE and slope(high) < 0:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return Scaling((max(high, 1 / LARGEST_SCALE),), (0.0,))


def fit_vector(logits: np.ndarray, targets: np.ndarray, task: Task) -> Scaling:
    """Fit a scale and a bias of each class with the least NLL; the most probable class of a sample may change."""
    _check(logits, targets)
    counts = samples_per_class(targets, task)
    if (counts < PER_CLASS).any():
        class_name, count = task.classes[int(counts.argmin())], int(counts.min())
        raise BadData(
            f"vector scaling needs {PER_CLASS} calibration samples of every class, and {class_name!r} has {count}; "
            "fit a temperature instead"
        )
    logits, classes = np.asarray(logits, np.float64), logits.shape[1]
    truth, spread = _one_hot(targets, classes, task), float(logits.std()) or 1.0

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        scale, bias = parameters[:classes] / spread, parameters[classes:]
        shifted = scale * logits + bias
        excess = (_probabilities(shifted, task) - truth) / len(logits)
        gradient = np.concatenate([(excess * logits).sum(axis=0) / spread, excess.sum(axis=0)])
        return _total_nll(shifted, truth, task) / len(logits), gradient

    start = fit_temperature(logits, targets, task).scale[0]
    best = minimize(loss, np.concatenate([np.full(classes, start * spread), np.zeros(classes)]))
    return Scaling(tuple(float(v) for v in best[:classes] / spread), tuple(float(v) for v in best[classes:]))


def samples_per_class(targets: np.ndarray, task: Task) -> np.ndarray:
    """Count the samples that determine the scale and the bias of each class (classes,).

    With several labels those with the label or those without it, whichever are fewer.
    """
    counts = _one_hot(targets, len(task.classes), task).sum(axis=0)
    return np.asarray(np.minimum(counts, len(targets) - counts) if task.multi_label else counts)


def fit_half(keys: Sequence[str]) -> np.ndarray:
    """Choose the half that a calibration is fitted on, bool (n,), by a hash of each key; the other half reports it.

    The key is a sample's permanent identifier, or that of its group, so that a group is never in both halves.
    """
    return np.array([blake2b(key.encode(errors="surrogateescape"), digest_size=1).digest()[0] < 128 for key in keys])


class ReliabilityBin(NamedTuple):
    """Decisions of similar confidence, for a reliability diagram."""

    samples: int
    confidence: float  # mean
    accuracy: float
    low: float  # ends of Wilson's interval of the accuracy
    high: float


def reliability(records: Records, bins: int = BINS) -> list[ReliabilityBin]:
    """Bin the decisions by confidence, in bins of equal width; bins without decisions are left out."""
    confidence, right = confidences(records)
    places = equal_width_bins(confidence, bins)
    diagram = []
    for place in np.unique(places):
        rows = places == place
        share, count = float(right[rows].mean()), int(rows.sum())
        diagram.append(ReliabilityBin(count, float(confidence[rows].mean()), share, *wilson(share, count)))
    return diagram


def _check(logits: np.ndarray, targets: np.ndarray) -> None:
    if not len(targets):
        raise BadData("calibration needs samples that were not trained on: there is none; give `data.val`")
    if not np.isfinite(logits).all():
        raise BadData("calibration: the predictions of the model are not finite numbers; train with a lower `lr`")


def _one_hot(targets: np.ndarray, classes: int, task: Task) -> np.ndarray:
    return (targets > 0).astype(np.float64) if task.multi_label else np.eye(classes)[targets]


def _probabilities(logits: np.ndarray, task: Task) -> np.ndarray:
    if task.multi_label:
        return np.asarray(np.exp(-np.logaddexp(0, -logits)))
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def _total_nll(logits: np.ndarray, truth: np.ndarray, task: Task) -> float:
    if task.multi_label:
        return float((np.logaddexp(0, logits) - truth * logits).sum())
    largest = logits.max(axis=1, keepdims=True)
    normalizer = np.log(np.exp(logits - largest).sum(axis=1)) + largest[:, 0]
    return float((normalizer - (truth * logits).sum(axis=1)).sum())
