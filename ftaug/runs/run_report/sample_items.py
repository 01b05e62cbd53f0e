"""Samples as content of a report."""

from __future__ import annotations

from collections.abc import Iterable

from ftaug.engine.loading.prepare import modality_of
from ftaug.engine.loading.split import DataSplit
from ftaug.errors import FtaugError
from ftaug.interfaces.document import HighlightedText, Picture
from ftaug.runs.run_report.reported_run import ReportedRun


def sample_items(run: ReportedRun, captions: Iterable[tuple[int, str]]) -> list[Picture | HighlightedText]:
    """Return the samples at positions of the reported split, with their captions."""
    return items_of(run, run.data, captions)


def items_of(
    run: ReportedRun, split: DataSplit, captions: Iterable[tuple[int, str]]
) -> list[Picture | HighlightedText]:
    """Return the samples at positions of a split, without those that cannot be read anymore."""
    modality = modality_of(run.experiment)
    items = []
    for position, caption in captions:
        try:
            items.append(modality.report_item(split.samples.read(int(split.ids[position])), caption))
        except FtaugError:  # the JSON values of the section name it
            continue
    return items
