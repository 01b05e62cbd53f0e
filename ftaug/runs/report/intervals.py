"""Confidence intervals of the metrics of a report, and the records that they are computed from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ftaug.engine.loading.split import DataSplit
from ftaug.engine.training.evaluate import Measurement
from ftaug.interfaces.data import Task
from ftaug.runs.report import console
from ftaug.runs.requirements import values_with_ends, with_ends
from ftaug.statistics.intervals import estimates
from ftaug.statistics.metric_table import Metric, class_metrics, standard_metrics
from ftaug.statistics.records import Records

RANKED = 500_000
"""Number of samples × classes up to which the bootstrap of AUROC and average precision takes about 10 s or less."""


def records_of(measured: Measurement, split: DataSplit) -> Records:
    """Take the predictions of a split as records, with its groups."""
    groups = split.samples.groups
    return Records(split.task, measured.probabilities, measured.targets, None if groups is None else groups[split.ids])


def interval_metrics(task: Task, samples: int) -> dict[str, Metric]:
    """Return the metrics whose intervals are reported, by name; metrics of ranks only where that takes seconds."""
    metrics = standard_metrics(task)
    if samples * len(task.classes) <= RANKED:
        return metrics
    return {name: metric for name, metric in metrics.items() if not name.startswith(("auroc", "average_precision"))}


def class_interval_metrics(records: Records) -> dict[tuple[int, str], Metric]:
    """Return the metrics of each class against the rest whose intervals are reported, by class index and name.

    Only proportions of independent samples, which take no bootstrap, where the rest would take minutes.
    """
    if records.task.regression:
        return {}
    is_large = len(records) * records.classes > RANKED
    return {
        (index, name): metric
        for index in range(records.classes)
        for name, metric in class_metrics(index).items()
        if not is_large or (metric.is_proportion and records.groups is None)
    }


class IntervalReport(NamedTuple):
    """Metrics with their 95 % intervals: value, low, high, method and note of each, by name."""

    overall: dict[str, dict[str, Any]]
    classes: list[dict[str, dict[str, Any]]]  # in the order of the classes; of regression empty


def report(measured: Measurement, split: DataSplit) -> IntervalReport:
    """Compute the metrics of a split and of each class with their intervals, from the same draws."""
    records = records_of(measured, split)
    metrics = interval_metrics(split.task, len(split))
    by_class = class_interval_metrics(records)
    results = estimates(records, metrics | {f"{index} {name}": metric for (index, name), metric in by_class.items()})
    classes: list[dict[str, dict[str, Any]]] = [{} for _ in range(records.classes)]
    for index, name in by_class:
        classes[index][name] = results[f"{index} {name}"].as_dict()
    return IntervalReport({name: results[name].as_dict() for name in metrics}, classes)


def requirement_names(task: Task) -> list[str]:
    """Return what `--require` may name besides the metrics of a report, such as `mcc` and `accuracy.low`."""
    return with_ends(standard_metrics(task))


def required_values(report: Mapping[str, Any]) -> dict[str, float]:
    """Return the values that `--require` can name: metrics, and the ends of their intervals."""
    results: Mapping[str, Mapping[str, Any]] = report["intervals"]
    values: dict[str, float] = {}
    for name, result in results.items():
        values |= values_with_ends(name, result)
    return {**values, **report["metrics"]}


def table(report: Mapping[str, Any]) -> Any:
    """Build the human-readable table of all metrics, with the intervals of those that have one."""
    results: Mapping[str, Mapping[str, Any]] = report["intervals"]
    values = {**report["metrics"], **{name: r["value"] for name, r in results.items() if name not in report["metrics"]}}
    rows = []
    for name, value in values.items():
        result = results.get(name, {})
        interval = f"{result['low']:.4f} to {result['high']:.4f}" if "low" in result else ""
        rows.append((name, value, interval, result.get("note", "")))
    return console.table(("metric", "value", "95 % interval", "note"), rows)
