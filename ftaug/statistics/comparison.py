"""Compare two sides on the same samples; a side is one run, or several that differ by their seed alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, NamedTuple

import numpy as np

from ftaug.statistics.bootstrap import DRAWS, Sampling, bootstrap_weights, sampling
from ftaug.statistics.distributions import binomial_cdf, student_cdf, student_quantile
from ftaug.statistics.intervals import bootstrap_values
from ftaug.statistics.metric_table import Metric
from ftaug.statistics.records import Records, Weights, require_finite, unweighted

Method = Literal["mcnemar", "paired bootstrap", "unpaired bootstrap"]


@dataclass(frozen=True)
class Difference:
    """The difference of a metric between two sides: second − first."""

    first: float
    second: float
    low: float  # ends of the confidence interval of the difference; nan where nothing varies
    high: float
    p: float  # of no difference, two-sided
    method: Method  # of p; the interval is always the bootstrap's
    higher_is_better: bool
    adjusted_p: float = math.nan  # after Holm's correction for all comparisons

    @property
    def value(self) -> float:
        """The difference, second − first."""
        return self.second - self.first

    def better(self, level: float = 0.95) -> Literal["first", "second"] | None:
        """The side that is better at this level, by the adjusted p where there is one."""
        p = self.p if math.isnan(self.adjusted_p) else self.adjusted_p
        if not p < 1 - level or self.value == 0:
            return None
        return "second" if (self.value > 0) == self.higher_is_better else "first"


def mcnemar(first: np.ndarray, second: np.ndarray) -> float:
    """Exact two-sided McNemar test that two sides are right equally often; from whether each is, bool (n,).

    Of the samples on which only one side is right, each side has half by chance (McNemar 1947).
    """
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    return min(1.0, 2 * binomial_cdf(min(only_first, only_second), only_first + only_second, 0.5))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for their number (Holm 1979); those that are nan are not counted."""
    p = np.asarray(p_values, float)
    order = np.argsort(p, kind="stable")[: int((~np.isnan(p)).sum())]
    adjusted = p.copy()
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)), 1)
    return [float(value) for value in adjusted]


def adjusted(differences: Mapping[str, Difference]) -> dict[str, Difference]:
    """Adjust all comparisons that are shown together by Holm's method."""
    values = holm([difference.p for difference in differences.values()])
    return {name: replace(d, adjusted_p=p) for (name, d), p in zip(differences.items(), values, strict=True)}


def compare(
    first: Sequence[Records],
    second: Sequence[Records],
    metrics: Mapping[str, Metric],
    *,
    paired: bool = True,
    draws: int = DRAWS,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Difference]:
    """Compare the metrics of two sides by a bootstrap of samples; each side lists the records of its runs.

    `paired`: all records are of the same samples in the same order, and a draw holds the same samples for both sides.
    Accuracy of one run a side on independent samples is tested by McNemar's exact test. One run a side shows nothing of
    what its seed does: a result then holds for these two models, not for their settings.
    """
    for records in (*first, *second):
        require_finite(records)
    design, second_design = sampling(first[0]), sampling(second[0])
    values = _side_values(first, metrics, partial(bootstrap_weights, design, draws, seed))
    other_seed = seed if paired else seed + 1
    other_values = _side_values(second, metrics, partial(bootstrap_weights, second_design, draws, other_seed))
    is_exact = paired and len(first) == len(second) == 1 and first[0].groups is None
    results = {}
    for name, metric in metrics.items():
        low, high, p = _interval(values[name], other_values[name], min(design, second_design, key=_degrees), level)
        method: Method = "paired bootstrap" if paired else "unpaired bootstrap"
        if is_exact and name == "accuracy":
            p, method = mcnemar(first[0].correct, second[0].correct), "mcnemar"
        widest = metric.highest - metric.lowest
        low, high = max(low, -widest), min(high, widest)  # nan stays nan
        ends = values[name].value, other_values[name].value, low, high
        results[name] = Difference(*ends, p, method, metric.higher_is_better)
    return results


class _SideValues(NamedTuple):
    """A metric of the runs of a side."""

    runs: np.ndarray  # on the samples, (runs,)
    draws: np.ndarray  # on each draw of samples, (runs, draws)

    @property
    def value(self) -> float:
        return float(self.runs.mean())

    @property
    def seed_variance(self) -> float:
        """Variance of the mean of the runs by their seeds."""
        return float(self.runs.var(ddof=1)) / len(self.runs) if len(self.runs) > 1 else 0.0


def _side_values(
    records: Sequence[Records], metrics: Mapping[str, Metric], draw: Callable[[], Iterable[Weights]]
) -> dict[str, _SideValues]:
    """Compute the metrics of each run; the weights are drawn anew for each, since all of them take gigabytes."""
    resampled = [bootstrap_values(run, metrics, draw()) for run in records]
    return {
        name: _SideValues(
            np.array([metric.value(unweighted(run))[0] for run in records]),
            np.stack([values[name] for values in resampled]),
        )
        for name, metric in metrics.items()
    }


def _degrees(design: Sampling) -> int:
    return design.degrees


def _interval(first: _SideValues, second: _SideValues, design: Sampling, level: float) -> tuple[float, float, float]:
    """Confidence interval of second − first, and p of no difference, by Student's distribution.

    The variance is that of the mean over runs as the samples are redrawn, plus that of the mean by seeds. Both contain
    the interplay of seed and sample, so it errs to the safe side (Owen 2007). Degrees of freedom: Satterthwaite's.
    """
    value = second.value - first.value
    differences = second.draws.mean(axis=0) - first.draws.mean(axis=0)
    if math.isnan(value) or design.degrees < 1 or np.isnan(differences).all():
        return math.nan, math.nan, math.nan
    by_sample = float(np.nanvar(differences)) * design.stretch**2
    variances = [(by_sample, design.degrees), *((s.seed_variance, max(len(s.runs) - 1, 1)) for s in (first, second))]
    total = sum(variance for variance, _ in variances)
    if not total > 0:
        return math.nan, math.nan, (1.0 if value == 0 else math.nan)
    degrees = total**2 / sum(variance**2 / of for variance, of in variances)
    half = student_quantile((1 + level) / 2, degrees) * math.sqrt(total)
    return value - half, value + half, 2 * student_cdf(-abs(value) / math.sqrt(total), degrees)
