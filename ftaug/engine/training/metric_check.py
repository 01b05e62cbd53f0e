"""Whether the metrics of an experiment can be measured on its samples: tried on random predictions before training.

AUROC of samples that are all of one class is not a number, whatever the model says; nor is correlation with a constant.
"""

import math
from collections.abc import Mapping

import numpy as np

from ftaug.config.experiment import Experiment
from ftaug.config.registry import Component
from ftaug.engine.loading.split import DataSplit
from ftaug.errors import ExperimentError, Problem, one_of
from ftaug.interfaces.data import Task

ENOUGH = 256
"""Samples of a large split that are tried first."""

MOST_COLUMNS = 64
"""Classes or numbers whose extremes are among them."""


def check(experiment: Experiment, portions: Mapping[str, DataSplit]) -> list[str]:
    """Return a caution for every metric that is not a number on a split; raise ExperimentError for the one that chooses
    the best checkpoint."""
    found = []
    for purpose in ("val", "test"):
        if purpose not in portions or not len(portions[purpose]):
            continue
        portion = portions[purpose]
        defined = {metric.name: _is_defined(experiment, metric, portion) for metric in experiment.evaluate.metrics}
        for metric in experiment.evaluate.metrics:
            if defined[metric.name]:
                continue
            text = f"{metric.name} cannot be measured on {purpose}, {_what_it_holds(portion)}"
            if purpose == "val" and metric.name == experiment.evaluate.best:
                others = one_of([*(name for name, good in defined.items() if good), "loss"])
                text = f"evaluate.best: {text}; choose by {others}, or give {purpose} other samples"
                raise ExperimentError(Problem(text, metric.place))
            found.append(text)
    return found


def _is_defined(experiment: Experiment, metric: Component, portion: DataSplit) -> bool:
    """Whether the metric of random predictions is a number: on a few samples, or else on all.

    Raises ExperimentError where it fails.
    """
    few, failure = _few(portion), None
    for rows in (few, slice(None)) if len(few) < len(portion) else (slice(None),):
        try:
            if math.isfinite(_tried(experiment, metric, portion.targets[rows], portion.task)):
                return True
        except (ValueError, ArithmeticError) as error:  # what libraries raise where a metric has no value
            failure = error
    if failure is not None:
        text = f"evaluate.metrics: {metric.name} fails on {portion.purpose}, {_what_it_holds(portion)}: {failure}"
        raise ExperimentError(Problem(f"{text}; leave it out, or mend it", metric.place)) from failure
    return False


def _few(portion: DataSplit) -> np.ndarray:
    """Positions spread over the split, and of each of the first classes or numbers where it is least and most."""
    columns = portion.targets.reshape(len(portion), -1)[:, :MOST_COLUMNS]
    spread = np.linspace(0, len(portion) - 1, min(ENOUGH, len(portion))).astype(np.int64)
    return np.unique(np.concatenate([spread, columns.argmin(axis=0), columns.argmax(axis=0)]))


def _tried(experiment: Experiment, metric: Component, targets: np.ndarray, task: Task) -> float:
    """The metric of random predictions."""
    rng = np.random.Generator(np.random.Philox(0))
    shape = len(targets), len(task.classes)
    activation = experiment.loss.fact("activation")
    if activation == "identity":
        center, spread = targets.mean(axis=0), targets.std(axis=0)
        predictions = center + rng.standard_normal(shape) * np.maximum(spread, 1e-3)
    else:
        predictions = rng.random(shape, np.float32)
        if activation == "softmax":
            predictions /= predictions.sum(axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        return float(metric(predictions, targets, task))


def _what_it_holds(portion: DataSplit) -> str:
    """What of a split may be in the way."""
    samples = f"{len(portion):,} sample{'s' * (len(portion) != 1)}"
    if portion.task.regression:
        same = np.ptp(portion.targets, axis=0) == 0
        names = [name for name, constant in zip(portion.task.classes, same, strict=True) if constant]
        return f"{samples} of which {', '.join(names[:5])} is always the same" if names else samples
    counts = portion.counts()
    there = [portion.task.classes[index] for index in np.flatnonzero(counts)]
    if len(there) == 1:
        return f"{samples}, all of class '{there[0]}'" if not portion.task.multi_label else f"{samples} and one label"
    return f"{samples} of {len(there)} classes"
