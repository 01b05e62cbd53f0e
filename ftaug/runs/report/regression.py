"""Regression report: metrics per target and the samples with the largest errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ftaug.components.regression_metrics import mae, pearson, r2, rmse, spearman
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.training.evaluate import Measurement
from ftaug.interfaces.data import Task
from ftaug.runs.report import console

STANDARD_METRICS: Mapping[str, Callable[[np.ndarray, np.ndarray, Task], float]] = {
    metric.__name__: metric for metric in (mae, rmse, r2, pearson, spearman)
}
"""Metrics that are always reported, by name."""

WORST = 10


def report(measured: Measurement, split: DataSplit) -> dict[str, Any]:
    """Compute the metrics of each target, and list the samples with the largest errors."""
    return {"numbers": per_number(measured, split.task), "worst": worst(measured, split)}


def per_number(measured: Measurement, task: Task) -> list[dict[str, Any]]:
    """Compute the metrics of each target, in the order of the task."""
    rows = []
    for name, predicted, true in zip(task.classes, measured.logits.T, measured.targets.T, strict=True):
        values = {key: metric(predicted[:, None], true[:, None], task) for key, metric in STANDARD_METRICS.items()}
        rows.append({"number": name, **values})
    return rows


def worst(measured: Measurement, split: DataSplit) -> list[dict[str, Any]]:
    """List the samples with the largest errors relative to the standard deviation of their target in this split."""
    errors = measured.logits - measured.targets
    constant = np.ptp(measured.targets, axis=0) == 0
    sizes = np.abs(errors) / np.where(constant, 1, measured.targets.std(axis=0))
    rows = []
    for place in np.argsort(-sizes, axis=None, kind="stable")[:WORST].tolist():
        sample, number = divmod(place, errors.shape[1])
        predicted, true = float(measured.logits[sample, number]), float(measured.targets[sample, number])
        name = split.samples.name(int(split.ids[sample]))
        rows.append({"sample": name, "number": split.task.classes[number], "true": true, "predicted": predicted})
    return rows


def tables(report: dict[str, Any]) -> list[Any]:
    """Build the human-readable tables of the report."""
    rows = report["numbers"] if len(report["numbers"]) > 1 else []
    per_target = [console.table(list(rows[0]), (list(row.values()) for row in rows))] if rows else []
    farthest = [[*row.values(), row["predicted"] - row["true"]] for row in report["worst"]]
    return [*per_target, console.table(("farthest off", "number", "true", "predicted", "error"), farthest)]
