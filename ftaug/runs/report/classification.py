"""Classification report: metrics per class, confusion matrix and predictions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ftaug.components import metrics
from ftaug.engine.training.evaluate import Measurement
from ftaug.interfaces.data import Task
from ftaug.runs.report import console

IN_TABLE = ("precision", "recall", "f1")
LISTED_CONFUSIONS = 10
PRINTED_MATRIX = 12
"""Maximum number of classes for which the confusion matrix is printed; the most frequent confusions for more."""


def report(measured: Measurement, task: Task, intervals: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Compute per-class metrics, with the intervals of each class, and the confusion matrix."""
    matrix = confusion_matrix(measured, task) if task.kind == "single_label" else None
    thresholds = (
        {} if task.thresholds is None else {"thresholds": dict(zip(task.classes, task.thresholds, strict=True))}
    )
    rows = [{**row, "intervals": r} for row, r in zip(per_class(measured, task), intervals, strict=True)]
    return {"classes": rows, "confusion": matrix, **thresholds}


def per_class(measured: Measurement, task: Task) -> list[dict[str, Any]]:
    """Compute precision, recall and F1 of each class, in the order of the classes."""
    seen = metrics.decisions(measured.probabilities, measured.targets, task)
    return [
        {
            "class": name,
            "samples": int(there),
            "predicted": int(predicted),
            "right": int(right),
            "precision": right / predicted if predicted else 0.0,
            "recall": right / there if there else 0.0,
            "f1": 2 * right / (predicted + there) if predicted + there else 0.0,
        }
        for name, right, predicted, there in zip(task.classes, *seen, strict=True)
    ]


def confusion_matrix(measured: Measurement, task: Task) -> np.ndarray:
    """Compute the confusion matrix (classes, classes): rows are true classes, columns predicted ones."""
    classes = len(task.classes)
    cells = measured.targets * classes + measured.probabilities.argmax(axis=1)
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def tables(report: dict[str, Any], task: Task) -> list[Any]:
    """Build the human-readable tables of per-class metrics and the confusion matrix."""
    tables = [class_table(report["classes"])]
    matrix = report["confusion"]
    if matrix is not None and len(task.classes) <= PRINTED_MATRIX:
        rows = ([name, *map(int, row)] for name, row in zip(task.classes, matrix, strict=True))
        tables.append(console.table(("true ↓ predicted →", *task.classes), rows))
    elif matrix is not None and (worst := list(confusions(matrix, task))):
        tables.append(console.table(("true", "predicted", "times"), worst))
    return tables


def class_table(classes: Sequence[Mapping[str, Any]]) -> Any:
    """Build the table of the metrics of each class with their 95 % intervals."""
    rows = [[row["class"], row["samples"], *(_with_interval(row, name) for name in IN_TABLE)] for row in classes]
    return console.table(("class", "samples", *IN_TABLE), rows)


def _with_interval(row: Mapping[str, Any], name: str) -> str:
    return console.with_interval({**row["intervals"].get(name, {}), "value": row[name]}, decimals=3)


def confusions(matrix: np.ndarray, task: Task) -> Iterator[tuple[str, str, int]]:
    """Yield the most frequent confusions: true class, predicted class, count."""
    wrong = matrix - np.diag(matrix.diagonal())
    for cell in np.argsort(-wrong, axis=None, kind="stable")[:LISTED_CONFUSIONS]:
        true, predicted = divmod(int(cell), len(task.classes))
        if wrong[true, predicted]:
            yield task.classes[true], task.classes[predicted], int(wrong[true, predicted])
