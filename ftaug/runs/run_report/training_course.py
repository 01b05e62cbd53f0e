"""The course of training: losses, metrics, learning rate, and how far the weights moved."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ftaug.engine.system.run_contents import Content
from ftaug.errors import BadData
from ftaug.interfaces.document import BarChart, Chart, Gallery, LineChart, Section, Series
from ftaug.runs.run_report.reported_run import ReportedRun

POINTS = 150
"""Number of points of a curve; more are averaged."""


class StageChange(Content):
    """How far a stage's weights moved, as a share of their norm."""

    stage: str
    change: float


def training_course(run: ReportedRun) -> Section | None:
    """Chart losses, validation metrics, learning rate and weight change; None for a folder of folds."""
    training = [row for row in run.rows if "loss" in row]
    evaluations = [row for row in run.rows if "val" in row]
    if not training:
        return None
    charts: list[Chart] = [_losses(training, evaluations), *_metrics(evaluations), _rate(training)]
    changes = _weight_changes(run)
    if changes:
        rows = [(row["stage"], row["change"], f"{row['change']:.2%}") for row in changes]
        charts.append(BarChart(rows, "Weight change of each stage", "weight change, % of the weights' norm"))
    facts = {
        "evaluations": [{"epoch": row["epoch"], "step": row["step"], **row["val"]} for row in evaluations],
        "weight_change": {row["stage"]: row["change"] for row in changes},
    }
    return Section("training", "Training", [Gallery(charts)], facts)


def _losses(training: Sequence[Mapping[str, Any]], evaluations: Sequence[Mapping[str, Any]]) -> LineChart:
    series = [_curve("train", training, lambda row: row["loss"])]
    if evaluations:
        series.append(_curve("validation", evaluations, lambda row: row["val"]["loss"]))
    alt = "Training and validation loss over the epochs"
    return LineChart(series, "epoch", "loss", alt, "loss", y_range=(0, None))


def _metrics(evaluations: Sequence[Mapping[str, Any]]) -> list[LineChart]:
    names = [name for name in evaluations[0]["val"] if name != "loss"] if evaluations else []
    series = [
        _curve(f"{name} {evaluations[-1]['val'][name]:.3f}", evaluations, lambda row, name=name: row["val"][name])
        for name in names
    ]
    if not series:
        return []
    alt = f"Validation {', '.join(names)} over the epochs"
    return [LineChart(series, "epoch", "metric", alt, "validation metrics, with the last value")]


def _rate(training: Sequence[Mapping[str, Any]]) -> LineChart:
    series, alt = _curve("", training, lambda row: row["lr"]), "Learning rate over the epochs"
    return LineChart([series], "epoch", "learning rate", alt, "learning rate", y_range=(0, None))


def _curve(name: str, rows: Sequence[Mapping[str, Any]], value: Any) -> Series:
    """Build a series over the epochs, with the means of neighboring rows where there are many."""
    chunks = np.array_split(np.arange(len(rows)), min(POINTS, len(rows)))
    x = np.array([row["epoch"] for row in rows], np.float64)
    y = np.array([value(row) for row in rows], np.float64)
    return Series(name, [float(x[c].mean()) for c in chunks], [float(y[c].mean()) for c in chunks])


def _weight_changes(run: ReportedRun) -> list[dict[str, Any]]:
    path = run.folder / "report" / "moved.json"
    if not path.is_file():
        return []
    try:
        return [StageChange.model_validate(row).model_dump() for row in json.loads(path.read_bytes())]
    except (ValueError, TypeError, RecursionError):
        raise BadData(f"{path}: is damaged; delete it") from None
