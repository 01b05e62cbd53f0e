"""Check before training that the metrics of an experiment are defined on its data, using random predictions.

AUROC of samples that are all of one class is not a number, whatever the model predicts; nor is a correlation with a
constant.
"""

import math
from collections.abc import Mapping

import numpy as np

from ftaug.config.experiment import Experiment
from ftaug.config.registry import Component
from ftaug.engine.loading.split import DataSplit
from ftaug.errors import ExperimentError, Problem, one_of
from ftaug.interfaces.data import Task

FEW_SAMPLES = 256
"""Number of samples of a large split to try first."""

MAX_COLUMNS = 64
"""Number of target columns whose extremes are among the samples to try."""


def check(experiment: Experiment, splits: Mapping[str, DataSplit]) -> list[str]:
    """Return a warning for every metric that is undefined on a split.

    Raises ExperimentError for the metric that selects the best checkpoint.
    """
    warnings = []
    for purpose in ("val", "test"):
        if purpose not in splits or not len(splits[purpose]):
            continue
        split = splits[purpose]
        defined = {metric.name: _is_defined(experiment, metric, split) for metric in experiment.evaluate.metrics}
        for metric in experiment.evaluate.metrics:
            if defined[metric.name]:
                continue
            text = f"{metric.name} cannot be measured on {purpose}, {_describe(split)}"
            if purpose == "val" and metric.name == experiment.evaluate.best:
                others = one_of([*(name for name, good in defined.items() if good), "loss"])
                text = f"evaluate.best: {text}; choose by {others}, or give {purpose} other samples"
                raise ExperimentError(Problem(text, metric.place))
            warnings.append(text)
    return warnings


def _is_defined(experiment: Experiment, metric: Component, split: DataSplit) -> bool:
    """Return whether the metric of random predictions is finite, on a few samples or else on all.

    Raises ExperimentError if computing it fails.
    """
    rows_to_try, failure = _rows_to_try(split), None
    for rows in (rows_to_try, slice(None)) if len(rows_to_try) < len(split) else (slice(None),):
        try:
            if math.isfinite(_metric_of_random_predictions(experiment, metric, split.targets[rows], split.task)):
                return True
        except (ValueError, ArithmeticError) as error:  # what libraries raise where a metric has no value
            failure = error
    if failure is not None:
        text = f"evaluate.metrics: {metric.name} fails on {split.purpose}, {_describe(split)}: {failure}"
        raise ExperimentError(Problem(f"{text}; leave it out, or fix it", metric.place)) from failure
    return False


def _rows_to_try(split: DataSplit) -> np.ndarray:
    """Return positions spread over the split, and those of the minimum and maximum of the first target columns."""
    columns = split.targets.reshape(len(split), -1)[:, :MAX_COLUMNS]
    spread = np.linspace(0, len(split) - 1, min(FEW_SAMPLES, len(split))).astype(np.int64)
    return np.unique(np.concatenate([spread, columns.argmin(axis=0), columns.argmax(axis=0)]))


def _metric_of_random_predictions(experiment: Experiment, metric: Component, targets: np.ndarray, task: Task) -> float:
    """Compute a metric on random predictions."""
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


def _describe(split: DataSplit) -> str:
    """Describe the properties of a split that may leave a metric undefined."""
    samples = f"{len(split):,} sample{'s' * (len(split) != 1)}"
    if split.task.regression:
        same = np.ptp(split.targets, axis=0) == 0
        names = [name for name, constant in zip(split.task.classes, same, strict=True) if constant]
        return f"{samples} of which {', '.join(names[:5])} is always the same" if names else samples
    counts = split.counts()
    present = [split.task.classes[index] for index in np.flatnonzero(counts)]
    if len(present) == 1:
        return f"{samples}, all of class '{present[0]}'" if not split.task.multi_label else f"{samples} and one label"
    return f"{samples} of {len(present)} classes"
