"""Report the slices of a split on which a model is worst, by the values of columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ftaug.interfaces.data import Task
from ftaug.runs.report import console
from ftaug.runs.report.comparison import p_value
from ftaug.runs.requirements import values_with_ends, with_ends
from ftaug.runs.sample_records import Columns, sample_errors
from ftaug.statistics.intervals import estimates
from ftaug.statistics.metric_table import Evidence, Metric, proportion
from ftaug.statistics.records import Records, divided, require_finite
from ftaug.statistics.slices import FEWEST, FEWEST_GROUPS, Slice, as_column, column_note, worst_slices

LISTED = 10
"""Number of slices that are printed; the JSON has all."""
LEVEL = 0.05
WORST = "worst"


def report(records: Records, columns: Columns) -> dict[str, Any]:
    """Compare each slice with all other samples: its metric with interval and the shrunken difference, worst first."""
    require_finite(records)
    arrays = {name: as_column(values) for name, values in columns.items()}
    notes = [f"{name}: {note}" for name, values in arrays.items() if (note := column_note(values))]
    if records.groups is not None:
        notes.append(f"tests and intervals are those of groups; a slice has {FEWEST_GROUPS} groups or more")
    errors = sample_errors(records)
    worst = worst_slices(arrays, errors, records.groups)
    intervals = estimates(records, {str(i): _metric(slice_, records, errors) for i, slice_ in enumerate(worst)})
    sign = 1 if records.task.regression else -1  # from a difference of errors to one of the metric
    rows = [
        {
            "column": slice_.column,
            "slice": slice_.value,
            "samples": slice_.samples,
            **intervals[str(i)].as_dict(),
            "difference": sign * slice_.difference,
            "shrunken": sign * slice_.shrunken + 0.0,
            "p": slice_.p,
            "adjusted_p": slice_.adjusted_p,
        }
        for i, slice_ in enumerate(worst)
    ]
    return {"metric": _metric_name(records.task), "worst": rows, "notes": notes}


def _metric_name(task: Task) -> str:
    return "mae" if task.regression else "accuracy"


def _metric(slice_: Slice, records: Records, errors: np.ndarray) -> Metric:
    """Define the metric of a slice."""
    rows = slice_.rows
    if not records.task.regression:
        return proportion(lambda r: r.correct, lambda r: rows)
    members = Evidence(rows, rows, slice_.samples)
    return Metric(
        lambda sample: divided(errors[rows] @ sample.weights[rows], sample.weights[rows].sum(axis=0)),
        lambda r: members,
        highest=float("inf"),
        higher_is_better=False,
    )


def requirement_names(columns: Iterable[str], task: Task) -> list[str]:
    """Return what `--require` may name of slices by these columns."""
    columns, metric = list(columns), _metric_name(task)
    return with_ends(f"slices.{name}.{metric}" for name in (WORST, *columns)) if columns else []


def required_values(slices: Mapping[str, Any]) -> dict[str, float]:
    """Return the values that `--require` can name: the worst of the slices by each column, and of all slices."""
    worse = min if slices["metric"] == "accuracy" else max
    values: dict[str, float] = {}
    for row in slices["worst"]:
        for column in (row["column"], WORST):
            for name, value in values_with_ends(f"slices.{column}.{slices['metric']}", row).items():
                values[name] = worse(values.get(name, value), value)
    return values


def tables(slices: Mapping[str, Any]) -> list[Any]:
    """Build the human-readable table of the worst slices, with its notes."""
    notes = [f"note: {note}" for note in slices["notes"]]
    if not slices["worst"]:
        return [f"no slice has {FEWEST} samples within and {FEWEST} outside", *notes]
    rows = [
        (
            f"{row['column']}: {row['slice']}",
            row["samples"],
            console.with_interval(row, decimals=3 if slices["metric"] == "accuracy" else 4),
            f"{row['shrunken']:+.4f}",
            p_value(row["adjusted_p"]),
        )
        for row in slices["worst"][:LISTED]
    ]
    headings = ("worst slices", "samples", f"{slices['metric']}, 95 %", "difference", "p (Holm)")
    table = console.table(headings, rows)
    return [table, _verdict(slices), *notes]


def _verdict(slices: Mapping[str, Any]) -> str:
    sign = 1 if slices["metric"] == "mae" else -1
    worse = [
        f"{row['column']}: {row['slice']}"
        for row in slices["worst"]
        if row["adjusted_p"] < LEVEL and sign * row["difference"] > 0
    ]
    if not worse:
        return f"no slice of {len(slices['worst'])} is shown to be worse than the other samples"
    return f"worse than the other samples: {', '.join(worse)}"
