"""`ftaug evaluate`: compute metrics of a trained model on the test split, or on validation without one."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.components import metrics
from ftaug.components.regression_metrics import mae, pearson, r2, rmse, spearman
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.system.storage import make_inside, replace, storage_errors
from ftaug.engine.training.evaluate import Measurement
from ftaug.interfaces.data import Task
from ftaug.runs.open_run import open_run
from ftaug.runs.report import console, plots, regression
from ftaug.runs.requirements import Requirement, check, check_names
from ftaug.runs.trained_model import TrainedModel

LISTED_CONFUSIONS = 10
OF_NUMBERS = {m.__name__: m for m in (mae, rmse, r2, pearson, spearman)}
PRINTED_MATRIX = 12


def run(*, run: Path, split: str | None, as_json: bool, require: Sequence[str], trust_plugins: bool) -> None:
    """Evaluate a model, write the report into the run folder, print it and check the required metrics."""
    requirements = [Requirement.parse(text) for text in require]
    opened = open_run(run, trust_plugins=trust_plugins)
    opened.note_precision()
    standard = standard_metrics(opened.task)
    check_names(requirements, ["loss", *(metric.name for metric in opened.experiment.evaluate.metrics), *standard])
    data = opened.select_split(split)
    measured = opened.compute_metrics(opened.logits(data), data)
    arguments = measured.probabilities, measured.targets, opened.task
    values = {**measured.values, **{name: metric(*arguments) for name, metric in standard.items()}}
    task = opened.task
    report: dict[str, Any] = {
        "run": str(run),
        "checkpoint": opened.checkpoint.name,
        "split": data.purpose,
        "samples": len(data),
        "precision": opened.device.precision,
        **({"left_out": len(data.left_out)} if data.left_out else {}),
        "metrics": values,
        **(regression.report(measured, data, OF_NUMBERS) if task.regression else of_classes(measured, task)),
    }
    if cautions := getattr(opened.splits, "cautions", []):
        report["cautions"] = cautions
    with storage_errors(f"{run}: the report cannot be written"):
        report["files"] = [str(path) for path in write(report, opened, data, measured)]
    if as_json:
        print(console.to_json(report))
    else:
        show(report, opened.task)
    check(requirements, values)


def of_classes(measured: Measurement, task: Task) -> dict[str, Any]:
    """Compute per-class metrics and the confusion matrix."""
    matrix = confusion_matrix(measured, task) if task.kind == "single_label" else None
    thresholds = (
        {} if task.thresholds is None else {"thresholds": dict(zip(task.classes, task.thresholds, strict=True))}
    )
    return {"classes": per_class(measured, task), "confusion": matrix, **thresholds}


def standard_metrics(task: Task) -> dict[str, Callable[..., float]]:
    """Return the metrics that are always reported, by name."""
    if task.regression:
        return {**OF_NUMBERS}
    k = min(5, len(task.classes))
    metrics_by_name: dict[str, Callable[..., float]] = {"accuracy": metrics.accuracy}
    if k > 1 and not task.multi_label:
        metrics_by_name[f"top_{k}"] = partial(metrics.top_k, k=k)
    for metric in (metrics.precision, metrics.recall, metrics.f1):
        for average in ("macro", "weighted"):
            metrics_by_name[f"{metric.__name__}_{average}"] = partial(metric, average=average)
    return metrics_by_name


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


def write(report: dict[str, Any], opened: TrainedModel, split: DataSplit, measured: Measurement) -> Iterator[Path]:
    """Write the report, the predictions and the plot into the run folder; yield their paths."""
    folder = opened.folder / "report"
    make_inside(folder)
    summary = folder / f"evaluate-{split.purpose}.json"
    replace(summary, (console.to_json(report) + "\n").encode())
    yield summary
    predictions = folder / f"predictions-{split.purpose}.csv"
    table = regression.predictions_table if opened.task.regression else predictions_table
    replace(predictions, _csv(table(split, measured)))
    yield predictions
    if opened.task.regression:
        drawn = folder / f"scatter-{split.purpose}.png"
        yield plots.scatter(measured.targets, measured.logits, opened.task.classes, drawn)
    elif report["confusion"] is not None:
        yield plots.confusion(report["confusion"], opened.task.classes, folder / f"confusion-{split.purpose}.png")


def predictions_table(split: DataSplit, measured: Measurement) -> Iterator[list[str]]:
    """Yield a header and a row per sample: name, target, prediction and the probability of each class."""
    classes = split.task.classes
    yield ["sample", "target", "prediction", *classes]
    for name, target, row in zip(split.names(), measured.targets, measured.probabilities, strict=True):
        yield [name, _label(target, classes), _label(_chosen(row, split.task), classes), *(f"{p:.6g}" for p in row)]


def _chosen(probabilities: np.ndarray, task: Task) -> Any:
    return task.present(probabilities) if task.multi_label else probabilities.argmax()


def _label(target: Any, classes: Sequence[str]) -> str:
    """Format a class name, or several joined with `|`."""
    return classes[target] if target.ndim == 0 else "|".join(classes[i] for i in target.nonzero()[0])


def _csv(rows: Iterator[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode(errors="surrogateescape")


def show(report: dict[str, Any], task: Task) -> None:
    """Print the human-readable report."""
    tables: list[Any] = [
        f"{report['samples']:,} {report['split']} samples, {report['checkpoint']} of {report['run']}",
        console.table(("metric", "value"), report["metrics"].items()),
    ]
    tables += regression.tables(report) if task.regression else tables_of_classes(report, task)
    console.show(*tables, *(f"wrote {path}" for path in report["files"]))


def tables_of_classes(report: dict[str, Any], task: Task) -> list[Any]:
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
