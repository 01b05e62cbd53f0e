"""Metrics with confidence intervals, by one rule.

- A proportion of independent samples, such as accuracy: Wilson's score interval.
- Samples in groups: bootstrap of groups (cluster bootstrap).
- Everything else: bootstrap of samples within their class (stratified bootstrap).

With fewer than 20 errors or successes a bootstrap sees too few of them to vary as it should: the estimate is marked and
its interval is at least as wide as Wilson's. The interval of a proportion of samples in groups is at least as wide as
Wilson's on as many independent samples as have the variance that the bootstrap shows (Korn and Graubard 1998). Where
nothing varies and Wilson's does not apply there is no interval.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ftaug.statistics import bootstrap
from ftaug.statistics.bootstrap import DRAWS, Sampling, bootstrap_weights, percentile_interval, sampling
from ftaug.statistics.distributions import normal_quantile, student_quantile
from ftaug.statistics.metric_table import Evidence, Metric
from ftaug.statistics.records import Records, WeightedRecords, Weights, require_finite, unweighted

FEW = 20
"""Number of errors or successes – of groups with one – below which an interval is marked."""

Method = bootstrap.Method | Literal["wilson", "none"]


@dataclass(frozen=True)
class Estimate:
    """A metric and its confidence interval; the ends are nan where there is no interval."""

    value: float
    low: float
    high: float
    method: Method
    few: str = ""  # "few errors", "few successes" or "few samples": the interval is rough

    def as_dict(self) -> dict[str, Any]:
        """Convert to a JSON value."""
        interval = {} if self.method == "none" else {"low": self.low, "high": self.high}
        return {"value": self.value, **interval, "method": self.method, **({"note": self.few} if self.few else {})}


def wilson(share: float, samples: float, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a proportion observed on a number of samples (Wilson 1927)."""
    if not samples or math.isnan(share):
        return math.nan, math.nan
    z = normal_quantile((1 + level) / 2)
    center = share + z * z / (2 * samples)
    half = z * math.sqrt(share * (1 - share) / samples + z * z / (4 * samples**2))
    whole = 1 + z * z / samples
    low, high = (center - half) / whole, (center + half) / whole
    return (0.0 if share == 0 else max(0.0, low)), (1.0 if share == 1 else min(1.0, high))


def estimates(
    records: Records, metrics: Mapping[str, Metric], *, draws: int = DRAWS, seed: int = 0, level: float = 0.95
) -> dict[str, Estimate]:
    """Compute metrics with their confidence intervals; the draws of the bootstrap are shared by all metrics."""
    require_finite(records)
    if not len(records):
        return {name: Estimate(math.nan, math.nan, math.nan, "none") for name in metrics}
    design, at_unit = sampling(records), unweighted(records)
    independent = records.groups is None
    resampled = {name: metric for name, metric in metrics.items() if not (metric.is_proportion and independent)}
    values = bootstrap_values(records, resampled, bootstrap_weights(design, draws, seed)) if resampled else {}
    results = {}
    for name, metric in metrics.items():
        value, evidence = float(metric.value(at_unit)[0]), metric.evidence(records)
        if name in resampled:
            low, high = _bootstrap_interval(value, values[name], metric, evidence, design, level)
        else:
            low, high = wilson(value, evidence.samples, level)
        few = few_label(evidence, design)
        if low < high:
            results[name] = Estimate(value, low, high, design.method if name in resampled else "wilson", few)
        else:
            results[name] = Estimate(value, math.nan, math.nan, "none", few)
    return results


def bootstrap_values(
    records: Records, metrics: Mapping[str, Metric], blocks: Iterable[Weights]
) -> dict[str, np.ndarray]:
    """Compute metrics under the weights of bootstrap draws: name -> (draws,)."""
    values: dict[str, list[np.ndarray]] = {name: [] for name in metrics}
    for weights in blocks:
        sample = WeightedRecords(records, weights)
        for name, metric in metrics.items():
            values[name].append(metric.value(sample))
    return {name: np.concatenate(blocks_of_metric) for name, blocks_of_metric in values.items()}


def few_label(evidence: Evidence, design: Sampling) -> str:
    """Name what there is fewer than 20 of, if anything."""
    successes, errors = design.count(evidence.successes), design.count(evidence.errors)
    if min(successes, errors) >= FEW:
        return ""
    if successes == errors:
        return "few samples"
    return "few errors" if errors < successes else "few successes"


def _bootstrap_interval(
    value: float, values: np.ndarray, metric: Metric, evidence: Evidence, design: Sampling, level: float
) -> tuple[float, float]:
    if math.isnan(value):
        return math.nan, math.nan
    low, high = percentile_interval(values, design, level)
    if metric.is_biased:  # resampling adds the bias once more: reflect the percentiles at the value
        low, high = 2 * value - high, 2 * value - low
    low, high = min(max(low, metric.lowest), value), max(min(high, metric.highest), value)
    grouped = design.method == "cluster bootstrap"
    is_rough = bool(few_label(evidence, design)) or not low < high
    if is_rough or (grouped and metric.is_proportion):
        samples = evidence.samples
        if grouped and metric.is_proportion:
            samples = _effective_samples(value, values, samples, design, level)
        if grouped and is_rough:
            samples = min(samples, design.count(evidence.successes | evidence.errors))
        low, high = _at_least_wilson(value, low, high, samples, metric, level)
    return low, high


def _effective_samples(value: float, values: np.ndarray, samples: float, design: Sampling, level: float) -> float:
    """How many independent samples give a proportion the variance that the bootstrap of groups shows."""
    if design.degrees < 1 or not np.nanvar(values):
        return samples
    variance = float(np.nanvar(values)) * design.stretch**2
    side = (1 + level) / 2
    ratio = normal_quantile(side) / student_quantile(side, design.degrees)
    return min(value * (1 - value) / variance * ratio**2, samples)


def _at_least_wilson(
    value: float, low: float, high: float, samples: float, metric: Metric, level: float
) -> tuple[float, float]:
    """Widen an interval to Wilson's of the same value on a number of samples, where the metric has a range."""
    width = metric.highest - metric.lowest
    if math.isinf(width):
        return low, high
    wider_low, wider_high = (
        metric.lowest + width * end for end in wilson((value - metric.lowest) / width, samples, level)
    )
    return float(np.fmin(low, wider_low)), float(np.fmax(high, wider_high))
