"""What is reported of predicted numbers: how near they are, and where they are farthest off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ftaug.engine.loading.split import DataSplit
from ftaug.engine.training.evaluate import Measurement
from ftaug.interfaces.data import Task
from ftaug.runs.report import console

Metrics = Mapping[str, Callable[[np.ndarray, np.ndarray, Task], float]]

WORST = 10


def report(measured: Measurement, portion: DataSplit, metrics: Metrics) -> dict[str, Any]:
    """The metrics of each number, and the samples whose error is largest."""
    return {"numbers": per_number(measured, portion.task, metrics), "worst": worst(measured, portion)}


def per_number(measured: Measurement, task: Task, metrics: Metrics) -> list[dict[str, Any]]:
    """How near each number is, in the order of the task."""
    return [
        {"number": name, **{key: metric(said[:, None], true[:, None], task) for key, metric in metrics.items()}}
        for name, said, true in zip(task.classes, measured.logits.T, measured.targets.T, strict=True)
    ]


def worst(measured: Measurement, portion: DataSplit) -> list[dict[str, Any]]:
    """The largest errors, each beside the deviation of its number here, so that several numbers compare."""
    errors = measured.logits - measured.targets
    constant = np.ptp(measured.targets, axis=0) == 0
    sizes = np.abs(errors) / np.where(constant, 1, measured.targets.std(axis=0))
    rows = []
    for place in np.argsort(-sizes, axis=None, kind="stable")[:WORST].tolist():
        sample, number = divmod(place, errors.shape[1])
        said, true = float(measured.logits[sample, number]), float(measured.targets[sample, number])
        name = portion.samples.name(int(portion.ids[sample]))
        rows.append({"sample": name, "number": portion.task.classes[number], "true": true, "predicted": said})
    return rows


def tables(report: dict[str, Any]) -> list[Any]:
    """The report's tables for a person."""
    rows = report["numbers"] if len(report["numbers"]) > 1 else []
    found = [console.table(list(rows[0]), (list(row.values()) for row in rows))] if rows else []
    farthest = [[*row.values(), row["predicted"] - row["true"]] for row in report["worst"]]
    return [*found, console.table(("farthest off", "number", "true", "predicted", "error"), farthest)]


def written(number: float) -> str:
    """A number as a file has it: 15 digits, all that a float64 holds of a decimal number."""
    return f"{number:.15g}"


def predictions_table(portion: DataSplit, measured: Measurement) -> Iterator[list[str]]:
    """A heading and a row per sample: its name, its numbers, and what was predicted for them."""
    names = portion.task.classes
    yield ["sample", *names, *(f"predicted_{name}" for name in names)]
    for name, true, said in zip(portion.names(), measured.targets, measured.logits, strict=True):
        yield [name, *map(written, true.tolist()), *map(written, said.tolist())]
