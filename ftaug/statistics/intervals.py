"""Metrics with confidence intervals, by one rule.

- A proportion of independent samples, such as accuracy: Wilson's score interval.
- Samples in groups: bootstrap of groups (cluster bootstrap).
- Everything else: bootstrap of samples within their class (stratified bootstrap).

With fewer than 20 errors or successes a bootstrap sees too few of them to vary as it should; the interval is then at
least as wide as Wilson's, and is marked. Where nothing varies and Wilson does not apply there is no interval.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ftaug.statistics.bootstrap import DRAWS, Sampling, bootstrap_weights, percentile_interval, sampling
from ftaug.statistics.distributions import normal_quantile
from ftaug.statistics.metric_table import Evidence, Metric
from ftaug.statistics.records import Records, WeightedRecords, Weights, unweighted

FEW = 20
"""Number of errors or successes below which an interval is marked."""

Method = Literal["wilson", "cluster bootstrap", "stratified bootstrap", "none"]


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
    if not len(records):
        return {name: Estimate(math.nan, math.nan, math.nan, "none") for name in metrics}
    design = sampling(records)
    resampled = {name: metric for name, metric in metrics.items() if not _is_wilson(metric, records)}
    values = bootstrap(records, resampled, bootstrap_weights(design, draws, seed)) if resampled else {}
    at_unit = unweighted(records)
    results = {}
    for name, metric in metrics.items():
        value, evidence = float(metric.value(at_unit)[0]), metric.evidence(records)
        if name in resampled:
            results[name] = _from_bootstrap(value, values[name], metric, evidence, records, design, level)
        else:
            low, high = wilson(value, evidence.samples, level)
            results[name] = Estimate(value, low, high, "wilson" if low < high else "none", evidence.few(FEW))
    return results


def bootstrap(records: Records, metrics: Mapping[str, Metric], blocks: Iterable[Weights]) -> dict[str, np.ndarray]:
    """Compute metrics under the weights of bootstrap draws: name -> (draws,)."""
    values: dict[str, list[np.ndarray]] = {name: [] for name in metrics}
    for weights in blocks:
        sample = WeightedRecords(records, weights)
        for name, metric in metrics.items():
            values[name].append(metric.value(sample))
    return {name: np.concatenate(parts) for name, parts in values.items()}


def _is_wilson(metric: Metric, records: Records) -> bool:
    return metric.is_proportion and records.groups is None


def _from_bootstrap(
    value: float,
    values: np.ndarray,
    metric: Metric,
    evidence: Evidence,
    records: Records,
    design: Sampling,
    level: float,
) -> Estimate:
    if math.isnan(value):
        return Estimate(value, math.nan, math.nan, "none", evidence.few(FEW))
    low, high = percentile_interval(values, design, level)
    if metric.is_biased:  # resampling adds the bias once more: reflect the percentiles at the value
        low, high = 2 * value - high, 2 * value - low
    low, high = min(max(low, metric.lowest), value), max(min(high, metric.highest), value)
    constant = not low < high
    if constant or evidence.few(FEW):
        samples = evidence.samples
        if constant and records.groups is not None:
            samples = min(samples, len(design.strata))
        low, high = _at_least_wilson(value, low, high, samples, metric, level)
    if not low < high:
        return Estimate(value, math.nan, math.nan, "none", evidence.few(FEW))
    method: Method = "stratified bootstrap" if records.groups is None else "cluster bootstrap"
    return Estimate(value, low, high, method, evidence.few(FEW))


def _at_least_wilson(
    value: float, low: float, high: float, samples: float, metric: Metric, level: float
) -> tuple[float, float]:
    """Widen an interval to Wilson's of the same value on a number of samples, where the metric has a range."""
    width = metric.highest - metric.lowest
    if math.isinf(width):
        return low, high
    wider = (metric.lowest + width * end for end in wilson((value - metric.lowest) / width, samples, level))
    return float(np.nanmin([low, next(wider)])), float(np.nanmax([high, next(wider)]))
