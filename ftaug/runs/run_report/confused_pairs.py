"""The section on the pairs of classes that are confused most, with their samples side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.interfaces.document import Block, DataTable, Gallery, Paragraph, Section
from ftaug.runs.run_report.reported_run import ReportedRun
from ftaug.runs.run_report.sample_items import sample_items
from ftaug.statistics.records import Records

LISTED = 10
"""Number of pairs in the table."""

SHOWN = 4
"""Number of pairs of which samples are shown."""

MISTAKEN, RIGHT = 3, 2
"""Number of samples shown of each direction of a pair, and of each class where it is recognized."""


@dataclass(frozen=True)
class ConfusedPair:
    """Two classes, and the rows of the records with one of them in which the other is predicted."""

    classes: tuple[int, int]  # the first is mistaken for the second at least as often as the second for the first
    mistaken: tuple[np.ndarray, np.ndarray]  # rows of each direction, the most confident first

    @property
    def count(self) -> int:
        """Number of mistakes in both directions."""
        return len(self.mistaken[0]) + len(self.mistaken[1])


def confused_pairs(run: ReportedRun) -> Section | None:
    """Show the most confused pairs of classes; None if there are none, or for several labels or numbers."""
    pairs = find_confused_pairs(run.records) if run.task.kind == "single_label" else []
    if not pairs:
        return None
    mistakes = sum(pair.count for pair in pairs)
    listed = pairs[:LISTED]
    text = f"{len(pairs):,} pair{'s' * (len(pairs) > 1)} of classes {'are' if len(pairs) > 1 else 'is'} confused."
    if len(pairs) > len(listed):
        share = sum(pair.count for pair in listed) / mistakes
        text += f" The {len(listed)} most confused ones make up {share:.0%} of {mistakes:,} mistakes."
    text += " Below each sample is the probability of the predicted class."
    blocks: list[Block] = [Paragraph(text), _table(run, listed)]
    for pair in listed[:SHOWN]:
        blocks += _galleries(run, pair)
    return Section("confused_pairs", "Most confused classes", blocks, {"pairs": [_facts(run, p) for p in listed]})


def find_confused_pairs(records: Records) -> list[ConfusedPair]:
    """Return the pairs of classes that are confused, those with the most mistakes first; single-label."""
    wrong = np.flatnonzero(~records.correct)
    confidences = records.predictions[wrong, records.predicted_class[wrong]]
    rows_of: dict[tuple[int, int], list[int]] = {}
    for row in wrong[np.argsort(-confidences, kind="stable")].tolist():
        rows_of.setdefault((int(records.targets[row]), int(records.predicted_class[row])), []).append(row)
    pairs = []
    for first, second in rows_of:
        mistaken = [np.array(rows_of.get(way, []), np.int64) for way in ((first, second), (second, first))]
        if (-len(mistaken[0]), first) < (-len(mistaken[1]), second):
            pairs.append(ConfusedPair((first, second), (mistaken[0], mistaken[1])))
    return sorted(pairs, key=lambda pair: (-pair.count, pair.classes))


def _table(run: ReportedRun, pairs: list[ConfusedPair]) -> DataTable:
    names, totals = run.task.classes, np.bincount(run.records.targets, minlength=run.records.classes)
    rows = []
    for pair in pairs:
        (first, second), mistaken = pair.classes, [len(rows) for rows in pair.mistaken]
        rows.append(
            (
                f"{names[first]} – {names[second]}",
                str(pair.count),
                f"{mistaken[0]} of {totals[first]:,}",
                f"{mistaken[1]} of {totals[second]:,}",
            )
        )
    headings = ("classes", "mistakes", "first predicted as second", "second predicted as first")
    return DataTable(headings, rows)


def _galleries(run: ReportedRun, pair: ConfusedPair) -> Iterator[Gallery]:
    """Yield the mistakes of each direction, and samples of both classes that are recognized."""
    names, records = run.task.classes, run.records
    for (label, predicted), rows in zip((pair.classes, pair.classes[::-1]), pair.mistaken, strict=True):
        if items := sample_items(run, [(int(row), _caption(run, int(row))) for row in rows[:MISTAKEN]]):
            yield Gallery(items, f"{names[label]} predicted as {names[predicted]} ({len(rows)})")
    right = [int(row) for label in pair.classes for row in _most_typical(records, label)[:RIGHT]]
    if items := sample_items(run, [(row, f"{names[records.targets[row]]}: {_caption(run, row)}") for row in right]):
        yield Gallery(items, f"{names[pair.classes[0]]} and {names[pair.classes[1]]}, recognized")


def _most_typical(records: Records, label: int) -> np.ndarray:
    """Return the rows of a class that are recognized, those with the highest probability first."""
    rows = np.flatnonzero(records.correct & (records.targets == label))
    return rows[np.argsort(-records.predictions[rows, label], kind="stable")]


def _caption(run: ReportedRun, row: int) -> str:
    probability = run.records.predictions[row, run.records.predicted_class[row]]
    return f"{probability:.2f}; {Path(run.names[row]).name}"


def _facts(run: ReportedRun, pair: ConfusedPair) -> dict[str, Any]:
    names = [run.task.classes[index] for index in pair.classes]
    return {
        "classes": names,
        "mistakes": pair.count,
        "first_as_second": [run.names[row] for row in pair.mistaken[0].tolist()],
        "second_as_first": [run.names[row] for row in pair.mistaken[1].tolist()],
    }
