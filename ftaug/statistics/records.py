"""Predictions of samples with their targets, and sums over them under many weightings at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ftaug.errors import BadData
from ftaug.interfaces.data import Task

Weights = np.ndarray
"""Weights of the records, float64 (records, draws): a column is a weighting, such as the counts of a bootstrap draw."""


@dataclass(frozen=True, eq=False)
class Records:
    """Predictions and targets of samples, in one order."""

    task: Task
    predictions: np.ndarray  # probabilities (n, classes); in regression numbers (n, numbers)
    targets: np.ndarray  # int (n,) classes; multi-label (n, classes) of 0 and 1; regression (n, numbers)
    groups: np.ndarray | None = None  # group of each record, (n,), where records of a group depend on each other

    def __len__(self) -> int:
        return len(self.predictions)

    def select(self, rows: np.ndarray) -> Records:
        """Return the records of a mask or of indices."""
        groups = None if self.groups is None else self.groups[rows]
        return replace(self, predictions=self.predictions[rows], targets=self.targets[rows], groups=groups)

    @property
    def classes(self) -> int:
        """Number of classes, or of numbers in regression."""
        return int(self.predictions.shape[1])

    @cached_property
    def positive(self) -> np.ndarray:
        """Whether a sample is of a class, bool (n, classes)."""
        if self.task.multi_label:
            return np.asarray(self.targets > 0)
        return np.asarray(self.targets[:, None] == np.arange(self.classes))

    @cached_property
    def decided(self) -> np.ndarray:
        """Whether a class is predicted for a sample, bool (n, classes)."""
        if self.task.multi_label:
            return self.task.present(self.predictions)
        return np.asarray(self.predicted_class[:, None] == np.arange(self.classes))

    @cached_property
    def predicted_class(self) -> np.ndarray:
        """The most probable class of each sample (n,); single-label."""
        return np.asarray(self.predictions.argmax(axis=1))

    @cached_property
    def correct(self) -> np.ndarray:
        """Whether the prediction of a sample is right, bool (n,); multi-label: whether all its labels are."""
        if self.task.multi_label:
            return np.asarray((self.decided == self.positive).all(axis=1))
        return np.asarray(self.predicted_class == self.targets)


@dataclass(frozen=True, eq=False)
class WeightedRecords:
    """Records under many weightings at once, such as the draws of a bootstrap; what metrics are computed from."""

    records: Records
    weights: Weights
    _rankings: dict[int, Ranking] = field(default_factory=dict, repr=False)

    @cached_property
    def total(self) -> np.ndarray:
        """Sum of the weights of each draw, (draws,)."""
        return np.asarray(self.weights.sum(axis=0))

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Weighted means per draw: (n,) -> (draws,), (n, classes) -> (classes, draws); nan without weight."""
        return divided(sums(values, self.weights), self.total)

    @cached_property
    def decisions(self) -> Decisions:
        """Weighted counts of decisions per class, each (classes, draws)."""
        records, weights = self.records, self.weights
        if records.task.multi_label:
            sides = (records.decided & records.positive, records.decided, records.positive)
            return Decisions(*(sums(side, weights) for side in sides))
        right, chosen, targets = records.correct, records.predicted_class, records.targets
        return Decisions(
            sums_by_key(chosen[right], weights[right], records.classes),
            sums_by_key(chosen, weights, records.classes),
            sums_by_key(targets, weights, records.classes),
        )

    def ranking(self, index: int) -> Ranking:
        """The order of the records by the probability of a class."""
        if index not in self._rankings:
            self._rankings[index] = self._rank(index)
        return self._rankings[index]

    def _rank(self, index: int) -> Ranking:
        column, positive = self.records.predictions[:, index], self.records.positive[:, index]
        values, places = np.unique(column[positive], return_inverse=True)
        negatives = column[~positive]
        keys = np.searchsorted(values, negatives, "left") + np.searchsorted(values, negatives, "right")  # odd: tied
        by_key = sums_by_key(keys, self.weights[~positive], 2 * len(values) + 1)
        between, tied = by_key[0::2], by_key[1::2]
        below = np.cumsum(between, axis=0)[:-1] + np.cumsum(tied, axis=0) - tied
        return Ranking(
            sums_by_key(places, self.weights[positive], len(values)), tied, below, np.asarray(by_key.sum(axis=0))
        )


class Ranking(NamedTuple):
    """Weights at each distinct probability of the positives of a class, ascending, each (values, draws)."""

    positive: np.ndarray  # weight of the positives with this probability
    tied: np.ndarray  # weight of the negatives with this probability
    below: np.ndarray  # weight of the negatives with a lower one
    negatives: np.ndarray  # weight of all negatives, (draws,)


class Decisions(NamedTuple):
    """Weighted true positives, predicted positives and actual positives, each (classes, draws)."""

    right: np.ndarray
    predicted: np.ndarray
    present: np.ndarray


def require_finite(records: Records) -> None:
    """Raise BadData if a prediction is not a finite number."""
    wrong = int((~np.isfinite(records.predictions)).any(axis=1).sum())
    if wrong:
        samples = f"{wrong:,} of {len(records):,} samples"
        raise BadData(f"the predictions of {samples} are not finite numbers; train with a lower `lr`, or in fp32")


def unweighted(records: Records) -> WeightedRecords:
    """Give every record the weight 1: one draw, the data themselves."""
    return WeightedRecords(records, np.ones((len(records), 1)))


def sums(values: np.ndarray, weights: Weights) -> np.ndarray:
    """Weighted sums of per-record values: (n,) -> (draws,), (n, classes) -> (classes, draws)."""
    return np.asarray(values.T.astype(np.float64, copy=False) @ weights)


def sums_by_key(keys: np.ndarray, weights: Weights, count: int) -> np.ndarray:
    """Sum the weights of the records of each key in 0 … count − 1: (n,) -> (count, draws).

    Sorting and adding runs costs n additions a draw, a product with one-hot keys n × count.
    """
    totals = np.zeros((count, weights.shape[1]))
    if len(keys):
        order = np.argsort(keys, kind="stable")
        present, starts = np.unique(keys[order], return_index=True)
        totals[present] = np.add.reduceat(weights[order], starts, axis=0)
    return totals


def divided(numerator: np.ndarray, denominator: np.ndarray, otherwise: float = float("nan")) -> np.ndarray:
    """Divide element by element; `otherwise` where the denominator is 0."""
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    quotient = np.full(numerator.shape, otherwise)
    np.divide(numerator, denominator, out=quotient, where=denominator != 0)
    return quotient


def mean_over_classes(values: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Average (classes, draws) over the classes whose value is a number; nan if there is none."""
    defined = ~np.isnan(values)
    shares = defined * (1.0 if weights is None else weights)
    return divided((np.where(defined, values, 0) * shares).sum(axis=0), shares.sum(axis=0))
