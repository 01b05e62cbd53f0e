"""Split conformal prediction: sets of classes that hold the true one with a chosen probability.

The guarantee holds for samples exchangeable with those of the calibration, on scores that were fitted without them.
Probabilities that were calibrated on the same samples break it: use those of the model itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from ftaug.errors import BadData, ExperimentError
from ftaug.statistics.distributions import beta_quantile

Score = Literal["lac", "aps"]
PER_CLASS = 50
"""Number of calibration samples of every class from which thresholds of its own are fitted."""


class Band(NamedTuple):
    """Interval that holds the coverage of a conformal predictor, over calibrations."""

    low: float
    high: float


@dataclass(frozen=True)
class ConformalSets:
    """Fitted thresholds of the scores."""

    score: Score
    coverage: float
    samples: int  # of the calibration
    thresholds: tuple[float, ...]  # one for all classes, or one a class

    def contains(self, probabilities: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        """Whether the set of each sample holds each class, bool (n, classes)."""
        return np.asarray(class_scores(probabilities, self.score, rng) <= np.array(self.thresholds))


@dataclass(frozen=True)
class TargetScores:
    """Nonconformity of the true class of each calibration sample, from which sets of any coverage are fitted."""

    score: Score
    values: tuple[np.ndarray, ...]  # ascending: those of all samples, or of each class

    def __len__(self) -> int:
        return sum(map(len, self.values))

    def sets(self, coverage: float) -> ConformalSets:
        """Fit the thresholds for a coverage; raises ExperimentError unless it is between 0 and 1."""
        if not 0 < coverage < 1:
            raise ExperimentError(
                f"prediction sets: a coverage of {coverage:g} cannot be guaranteed; expected one such as 0.9"
            )
        thresholds = tuple(_threshold(values, coverage) for values in self.values)
        return ConformalSets(self.score, coverage, len(self), thresholds)


def target_scores(
    probabilities: np.ndarray,
    targets: np.ndarray,
    *,
    score: Score = "lac",
    by_class: bool = False,
    rng: np.random.Generator | None = None,
) -> TargetScores:
    """Compute the scores of calibration samples from probabilities (n, classes) and targets (n,)."""
    scores = class_scores(probabilities, score, rng)[np.arange(len(targets)), targets]
    if not by_class:
        return TargetScores(score, (np.sort(scores),))
    counts = np.bincount(targets, minlength=probabilities.shape[1])
    if counts.min() < PER_CLASS:
        raise BadData(
            f"conformal sets by class need {PER_CLASS} calibration samples of every class, and one has {counts.min()}; "
            "use sets of all classes together"
        )
    return TargetScores(score, tuple(np.sort(scores[targets == c]) for c in range(len(counts))))


def fit(
    probabilities: np.ndarray,
    targets: np.ndarray,
    coverage: float = 0.9,
    *,
    score: Score = "lac",
    by_class: bool = False,
    rng: np.random.Generator | None = None,
) -> ConformalSets:
    """Fit the threshold that sets need for a coverage, from probabilities (n, classes) and targets (n,).

    LAC (Sadinle et al. 2019) has the smallest sets on average; APS (Romano et al. 2020) covers hard samples more
    evenly with larger ones. `by_class` covers every class as often. `rng` randomizes APS, which else covers more.
    """
    return target_scores(probabilities, targets, score=score, by_class=by_class, rng=rng).sets(coverage)


def class_scores(probabilities: np.ndarray, score: Score, rng: np.random.Generator | None = None) -> np.ndarray:
    """Nonconformity of every class of every sample (n, classes): the lower, the more a class belongs to the set.

    LAC: 1 − probability. APS: the probability of all classes that are more probable, with `rng` plus a uniform share of
    that of the class itself. Without `rng` sets hold the most probable class at least, whose score is 0.
    """
    probabilities = np.asarray(probabilities, np.float64)
    if score == "lac":
        return np.asarray(1 - probabilities)
    order = np.argsort(-probabilities, axis=1, kind="stable")
    ordered = np.take_along_axis(probabilities, order, axis=1)
    share = 0.0 if rng is None else rng.random((len(probabilities), 1))
    scores = np.empty_like(probabilities)
    np.put_along_axis(scores, order, np.cumsum(ordered, axis=1) - ordered + share * ordered, axis=1)
    return scores


def coverage_band(samples: int, coverage: float, level: float = 0.95) -> Band:
    """Return the interval that the true coverage falls into with a probability of `level`, over calibrations.

    With scores without ties it is distributed as Beta(k, n + 1 − k), where k = ⌈(n + 1) · coverage⌉ (Vovk 2012).
    """
    rank = _rank(samples, coverage)
    if rank > samples:
        return Band(1.0, 1.0)
    low, high = (beta_quantile(share, rank, samples + 1 - rank) for share in ((1 - level) / 2, (1 + level) / 2))
    return Band(low, high)


def _rank(samples: int, coverage: float) -> int:
    return math.ceil((samples + 1) * coverage - 1e-9)


def _threshold(scores: np.ndarray, coverage: float) -> float:
    """The k-th of ascending scores; with too few for the coverage infinite, so that sets hold all classes."""
    rank = _rank(len(scores), coverage)
    return float(scores[rank - 1]) if rank <= len(scores) else math.inf
