"""Report the effect of test-time augmentation: metrics with and without it, on the same samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftaug.runs.report import console
from ftaug.runs.report.comparison import p_value
from ftaug.statistics.comparison import adjusted, compare
from ftaug.statistics.metric_table import standard_metrics
from ftaug.statistics.records import Records

METRICS = ("accuracy", "nll", "mae")


def report(single: Records, averaged: Records, views: str) -> dict[str, Any]:
    """Compare predictions of a single view with those averaged over the views, by a paired bootstrap of the samples."""
    metrics = {name: metric for name, metric in standard_metrics(single.task).items() if name in METRICS}
    differences = adjusted(compare([single], [averaged], metrics))
    rows = {
        name: {
            "without": d.first,
            "with": d.second,
            "difference": d.value,
            **({"low": d.low, "high": d.high} if d.low < d.high else {}),
            "p": d.p,
            "adjusted_p": d.adjusted_p,
            "method": d.method,
        }
        for name, d in differences.items()
    }
    if single.task.regression:
        return {"views": views, "metrics": rows}
    corrected, broken = averaged.correct & ~single.correct, single.correct & ~averaged.correct
    return {"views": views, "metrics": rows, "corrected": int(corrected.sum()), "broken": int(broken.sum())}


def tables(tta: Mapping[str, Any]) -> list[Any]:
    """Build the human-readable table of the effect."""
    rows = [
        (
            name,
            row["without"],
            row["with"],
            f"{row['difference']:+.4f}",
            f"{row['low']:+.4f} to {row['high']:+.4f}" if "low" in row else "–",
            p_value(row["adjusted_p"]),
        )
        for name, row in tta["metrics"].items()
    ]
    headings = (f"tta: {tta['views']}", "without", "with", "difference", "95 % interval", "p (Holm)")
    table = console.table(headings, rows)
    if "corrected" not in tta:
        return [table]
    return [table, f"predictions that it corrected: {tta['corrected']:,}; made wrong: {tta['broken']:,}"]
