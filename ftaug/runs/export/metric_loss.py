"""Metric loss of a reduced-precision export compared with the model, with a paired bootstrap error."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np

from ftaug.engine.loading import seeds
from ftaug.engine.loading.split import DataSplit
from ftaug.runs.trained_model import TrainedModel

RESAMPLES = 100
"""Number of bootstrap resamples for the standard error."""


@dataclass(frozen=True)
class MetricLoss:
    """Metric loss: a difference for scores, relative for losses and errors; above 0 is worse."""

    value: float
    standard_error: float  # over samples, both models measured on the same ones
    tolerance: float

    @property
    def holds(self) -> bool:
        """Whether the loss is within the tolerance."""
        return self.value <= self.tolerance + 1e-9  # rounding of the difference; False for a NaN


def metric_loss(
    opened: TrainedModel, split: DataSplit, original: np.ndarray, exported: np.ndarray, tolerance: float
) -> MetricLoss:
    """Compare logits (n, classes) of the same samples; standard error by paired bootstrap with a fixed seed."""
    rng = seeds.generator(0, "paired bootstrap")
    resampled = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # metrics warn of classes that a resample lacks
        for _ in range(RESAMPLES):
            rows = rng.integers(len(split), size=len(split))
            resampled.append(_loss(opened, _some(split, rows), original[rows], exported[rows]))
    value = _loss(opened, split, original, exported)
    return MetricLoss(value, float(np.nanstd(resampled)), tolerance)


def _some(split: DataSplit, rows: np.ndarray) -> DataSplit:
    return replace(split, ids=split.ids[rows], targets=split.targets[rows])


def _loss(opened: TrainedModel, split: DataSplit, original: np.ndarray, exported: np.ndarray) -> float:
    best = opened.experiment.evaluate.best
    metric = next((metric for metric in opened.experiment.evaluate.metrics if metric.name == best), None)
    before, after = (opened.compute_metrics(logits, split).values[best] for logits in (original, exported))
    if metric is not None and metric.fact("higher_is_better"):
        return before - after
    return (after - before) / abs(before) if after != before else 0.0
