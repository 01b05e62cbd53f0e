"""Classification report: metrics per class, confusion matrix and predictions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ftaug.components import metrics
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.training.evaluate import Measurement
from ftaug.interfaces.data import Task
from ftaug.runs.report import console

LISTED_CONFUSIONS = 10
PRINTED_MATRIX = 12
"""Maximum number of classes for which the confusion matrix is printed; the most frequent confusions for more."""


def report(measured: Measurement, task: Task) -> dict[str, Any]:
    """Compute per-class metrics and the confusion matrix."""
    matrix = confusion_matrix(measured, task) if task.kind == "single_label" else None
    thresholds = (
        {} if task.thresholds is None else {"thresholds": dict(zip(task.classes, task.thresholds, strict=True))}
    )
    return {"classes": per_class(measured, task), "confusion": matrix, **thresholds}


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


def predictions_table(split: DataSplit, measured: Measurement) -> Iterator[list[str]]:
    """Yield a header and a row per sample: name, target, prediction and the probability of each class."""
    classes = split.task.classes
    yield ["sample", "target", "prediction", *classes]
    for name, target, row in zip(split.names(), measured.targets, measured.probabilities, strict=True):
        yield [
            name,
            _label(target, classes),
            _label(_chosen(row, split.task), classes),
            *(f"{p:.6g}" for p in row),
        ]


def _chosen(probabilities: np.ndarray, task: Task) -> Any:
    return task.present(probabilities) if task.multi_label else probabilities.argmax()


def _label(target: Any, classes: Sequence[str]) -> str:
    """Format a class name, or several joined with `|`."""
    return classes[target] if target.ndim == 0 else "|".join(classes[i] for i in target.nonzero()[0])


def tables(report: dict[str, Any], task: Task) -> list[Any]:
    """Build the human-readable tables of per-class metrics and the confusion matrix."""
    tables = [console.table(list(report["classes"][0]), (list(row.values()) for row in report["classes"]))]
    matrix = report["confusion"]
    if matrix is not None and len(task.classes) <= PRINTED_MATRIX:
        rows = ([name, *map(int, row)] for name, row in zip(task.classes, matrix, strict=True))
        tables.append(console.table(("true ↓ predicted →", *task.classes), rows))
    elif matrix is not None and (worst := list(confusions(matrix, task))):
        tables.append(console.table(("true", "predicted", "times"), worst))
    return tables


def confusions(matrix: np.ndarray, task: Task) -> Iterator[tuple[str, str, int]]:
    """Yield the most frequent confusions: true class, predicted class, count."""
    wrong = matrix - np.diag(matrix.diagonal())
    for cell in np.argsort(-wrong, axis=None, kind="stable")[:LISTED_CONFUSIONS]:
        true, predicted = divmod(int(cell), len(task.classes))
        if wrong[true, predicted]:
            yield task.classes[true], task.classes[predicted], int(wrong[true, predicted])
