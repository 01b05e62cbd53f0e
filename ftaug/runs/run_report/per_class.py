"""Metrics of each class, or of each number of a regression, with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ftaug.interfaces.document import Block, DataTable, Gallery, LineChart, Paragraph, Section, Series
from ftaug.runs.run_report.formats import estimate, number
from ftaug.runs.run_report.reported_run import ReportedRun

METRICS = ("precision", "recall", "f1")
LISTED = 500
"""Number of classes up to which all are listed."""
MATRIX = 20
"""Number of classes up to which the confusion matrix is shown."""
CHARTS = 6
POINTS = 500


def per_class(run: ReportedRun) -> Section:
    """Tabulate precision, recall and F1 of each class, the worst first; of a regression the metrics of each number."""
    if run.task.regression:
        return _per_number(run)
    rows: Sequence[Mapping[str, Any]] = run.results["classes"]
    worst = sorted(rows, key=lambda row: (row["f1"], row["class"]))[:LISTED]
    table = DataTable(
        ("class", "samples", "predicted", *METRICS),
        [
            (row["class"], f"{row['samples']:,}", f"{row['predicted']:,}", *(_metric(row, name) for name in METRICS))
            for row in worst
        ],
        f"the worst {f'{LISTED:,} of {len(rows):,} ' if len(rows) > LISTED else ''}first, with 95 % intervals",
    )
    return Section("classes", "Per class", [table, *_matrix(run)], {"classes": rows})


def _metric(row: Mapping[str, Any], name: str) -> str:
    return estimate({**row["intervals"].get(name, {}), "value": row[name]})


def _matrix(run: ReportedRun) -> list[Block]:
    """Tabulate the confusion matrix of a task with few classes."""
    matrix, classes = run.results.get("confusion"), run.task.classes
    if matrix is None or len(classes) > MATRIX:
        return []
    rows = [(name, *(f"{int(n):,}" if n else "·" for n in row)) for name, row in zip(classes, matrix, strict=True)]
    return [DataTable(("true ↓ predicted →", *classes), rows, "confusion matrix: number of samples")]


def _per_number(run: ReportedRun) -> Section:
    rows: Sequence[Mapping[str, Any]] = run.results["numbers"]
    names = [name for name in rows[0] if name != "number"]
    table = DataTable(("number", *names), [(row["number"], *(number(row[name]) for name in names)) for row in rows])
    charts = [_scatter(run, index) for index in range(min(CHARTS, len(run.task.classes)))]
    blocks: list[Block] = [table, Gallery(charts)]
    if len(run.records) > POINTS:
        blocks.append(Paragraph(f"The charts show {POINTS} of the samples."))
    return Section("numbers", "Predicted and true numbers", blocks, {"numbers": rows})


def _scatter(run: ReportedRun, index: int) -> LineChart:
    shown = np.linspace(0, len(run.records) - 1, min(POINTS, len(run.records))).astype(int)
    true, predicted = run.records.targets[shown, index].tolist(), run.records.predictions[shown, index].tolist()
    ends = min([*true, *predicted]), max([*true, *predicted])
    name = run.task.classes[index]
    return LineChart(
        [Series("", true, predicted, style="points"), Series("correct", ends, ends, style="reference")],
        "true",
        "predicted",
        f"Predicted against true values of {name}",
        name,
    )
