"""Predictions of samples with their targets, and sums over them under many weightings at once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ftaug.errors import BadData
from ftaug.interfaces.data import Task

Value = TypeVar("Value")
Weights = np.ndarray
"""Weights of the records, float64 (records, draws): a column is a weighting, such as the counts of a bootstrap draw."""


@dataclass(frozen=True, eq=False)
class Records:
    """Predictions and targets of samples, in one order."""

    task: Task
    predictions: np.ndarray  # probabilities (n, classes); in regression numbers (n, numbers)
    targets: np.ndarray  # int (n,) classes; multi-label (n, classes) of 0 and 1; regression (n, numbers)
    groups: np.ndarray | None = None  # group of each record, (n,), where records of a group depend on each other
    _rank_sums: dict[int, tuple[KeySums, KeySums]] = field(default_factory=dict, init=False, repr=False)

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

    @cached_property
    def class_sums(self) -> tuple[KeySums, KeySums, KeySums]:
        """Sums by class of the records predicted right, by predicted class, and by class; single-label."""
        chosen, right = self.predicted_class, self.correct
        return (
            KeySums(chosen[right], self.classes, right),
            KeySums(chosen, self.classes),
            KeySums(self.targets, self.classes),
        )

    def rank_sums(self, index: int) -> tuple[KeySums, KeySums]:
        """Sums of the positives of a class by their probability, and of the negatives by their place among these.

        The place of a negative is 2i below the i-th distinct probability of a positive, and 2i + 1 where it is equal.
        """
        if index not in self._rank_sums:
            column, positive = self.predictions[:, index], self.positive[:, index]
            values, places = np.unique(column[positive], return_inverse=True)
            negatives = column[~positive]
            keys = np.searchsorted(values, negatives, "left") + np.searchsorted(values, negatives, "right")
            self._rank_sums[index] = (
                KeySums(places, len(values), positive),
                KeySums(keys, 2 * len(values) + 1, ~positive),
            )
        return self._rank_sums[index]


@dataclass(frozen=True, eq=False)
class WeightedRecords:
    """Records under many weightings at once, such as the draws of a bootstrap; what metrics are computed from."""

    records: Records
    weights: Weights
    _cache: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    def cached(self, name: Hashable, compute: Callable[[], Value]) -> Value:
        """Return what several metrics need, computed once."""
        if name not in self._cache:
            self._cache[name] = compute()
        value: Value = self._cache[name]
        return value

    @cached_property
    def total(self) -> np.ndarray:
        """Sum of the weights of each draw, (draws,)."""
        return np.asarray(self.weights.sum(axis=0))

    @cached_property
    def by_draw(self) -> np.ndarray:
        """The weights of each draw, contiguous, (draws, records)."""
        return np.ascontiguousarray(self.weights.T)

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
        return Decisions(*(by_class(self.by_draw) for by_class in records.class_sums))

    def ranking(self, index: int) -> Ranking:
        """The order of the records by the probability of a class."""
        return self.cached(("ranking", index), lambda: self._rank(index))

    def _rank(self, index: int) -> Ranking:
        of_positives, of_negatives = self.records.rank_sums(index)
        by_key = of_negatives(self.by_draw)
        up_to = np.cumsum(by_key, axis=0)
        return Ranking(of_positives(self.by_draw), by_key[1::2], up_to[:-1:2], up_to[-1])


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


class KeySums:
    """Sums of the weights of records by a key in 0 … count − 1, for any number of weightings.

    Counting a draw at a time takes a third of the time of sorting the records and adding runs of all draws.
    """

    def __init__(self, keys: np.ndarray, count: int, rows: np.ndarray | None = None) -> None:
        self._keys, self._count = keys, count
        self._rows = None if rows is None else np.flatnonzero(rows)
        if rows is not None and 2 * len(keys) > len(rows):  # then a key that is dropped costs less than a selection
            self._keys, self._rows = np.full(len(rows), count), None
            self._keys[rows] = keys

    def __call__(self, by_draw: np.ndarray) -> np.ndarray:
        """Sum the weights (draws, records) of the records, or of those of a mask, by key: (count, draws)."""
        totals = np.empty((len(by_draw), self._count))
        for total, draw in zip(totals, by_draw, strict=True):
            weights = draw if self._rows is None else draw[self._rows]
            total[:] = np.bincount(self._keys, weights, self._count + 1)[: self._count]
        return totals.T


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
