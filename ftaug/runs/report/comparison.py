"""Print and plot the comparison of runs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ftaug.runs.report import console, plots
from ftaug.runs.run_comparison import MetricDifference, RunComparison, Side, differing_settings

LISTED = 20
"""Maximum number of differing settings to print."""


def show(comparison: RunComparison, split: str) -> None:
    """Print the human-readable comparison: for each side its differences from the first, and other settings."""
    first = comparison.first
    blocks: list[Any] = [f"{len(first.ids):,} {split} samples; first: {_named(first)}"]
    for side in comparison.others:
        rows = comparison.of(side)
        blocks += [f"\nsecond: {_named(side)}", table(rows), verdict(first, side, rows), *_settings(first, side)]
    console.show(*blocks, *(f"note: {note}" for note in comparison.notes))


def table(rows: list[MetricDifference]) -> Any:
    """Build the table of differences, second − first."""
    cells = [
        (
            row.metric,
            row.difference.first,
            row.difference.second,
            "–" if math.isnan(row.difference.value) else f"{row.difference.value:+.4f}",
            interval(row),
            p_value(row.difference.adjusted_p),
        )
        for row in rows
    ]
    return console.table(("metric", "first", "second", "difference", "95 % interval", "p (Holm)"), cells)


def interval(row: MetricDifference) -> str:
    """Format the interval of a difference; a dash where nothing varies."""
    low, high = row.difference.low, row.difference.high
    return f"{low:+.4f} to {high:+.4f}" if low < high else "–"


def p_value(p: float) -> str:
    """Format a p-value with four decimals; a dash where there is none."""
    if math.isnan(p):
        return "–"
    return f"{p:.4f}" if p >= 0.0001 else "<0.0001"


def _named(side: Side) -> str:
    if len(side.runs) == 1:
        return side.name
    return f"{side.name} ({len(side.runs)} seeds: {', '.join(run.seed for run in side.runs)})"


def verdict(first: Side, second: Side, rows: Sequence[MetricDifference]) -> str:
    """Say in which metrics a side is better, and which intervals are rough."""
    better = {name: [row.metric for row in rows if row.difference.better() == name] for name in ("first", "second")}
    texts = [
        f"{side.name} is better in {', '.join(better[name])}"
        for name, side in (("second", second), ("first", first))
        if better[name]
    ]
    rough: dict[str, list[str]] = {}
    for row in rows:
        if row.few and row.difference.low < row.difference.high:
            rough.setdefault(row.few, []).append(row.metric)
    notes = [f"{few}, rough interval: {', '.join(metrics)}" for few, metrics in rough.items()]
    return "\n".join([*(texts or ["no difference is shown"]), *notes])


def _settings(first: Side, second: Side) -> Iterator[str]:
    differing = differing_settings(first, second)
    yield "different settings:" if differing else "no setting differs"
    for key, (before, after) in list(differing.items())[:LISTED]:
        yield f"  {key}: {before} → {after}"
    if len(differing) > LISTED:
        yield f"  and {len(differing) - LISTED} more"


def plot(comparison: RunComparison, path: Path) -> Path:
    """Plot the differences with their intervals into a PNG file."""
    names = [side.runs[0].folder.name for side in comparison.others]
    is_unique = len(set(names)) == len(names)
    panels: dict[str, list[tuple[str, float, float, float]]] = {}
    for row in comparison.differences:
        d, side = row.difference, row.side
        name = side.runs[0].folder.name if is_unique else side.name
        panels.setdefault(row.metric, []).append((name, d.value, d.low, d.high))
    return plots.differences(panels, f"difference from {comparison.first.name}", path)
