"""The report of a run: its sections in reading order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

import ftaug
from ftaug.errors import FtaugError
from ftaug.interfaces.document import Paragraph, Report, Section
from ftaug.runs.run_report.alerts import alerts_of
from ftaug.runs.run_report.augmentation_sheet import augmentation_sheet
from ftaug.runs.run_report.confused_pairs import confused_pairs
from ftaug.runs.run_report.corruptions import corruptions
from ftaug.runs.run_report.data_card import data_card
from ftaug.runs.run_report.data_check import data_check
from ftaug.runs.run_report.formats import SPLITS
from ftaug.runs.run_report.invariance import invariance
from ftaug.runs.run_report.mistakes import mistakes, mistakes_without_explanations
from ftaug.runs.run_report.neighbors import neighbors
from ftaug.runs.run_report.per_class import per_class
from ftaug.runs.run_report.reliability import reliability_section
from ftaug.runs.run_report.reported_run import ReportedRun
from ftaug.runs.run_report.reproduction import reproduction
from ftaug.runs.run_report.slices import slices
from ftaug.runs.run_report.training_course import training_course
from ftaug.runs.run_report.verdict import verdict

SectionOf = Callable[[ReportedRun], Section | None]
"""Computes a section; None where there is nothing to say."""

RESULTS: Sequence[SectionOf] = (per_class, training_course, reliability_section, slices, corruptions)

SECTIONS: Sequence[SectionOf] = (
    mistakes,
    confused_pairs,
    neighbors,
    *RESULTS,
    augmentation_sheet,
    invariance,
    data_card,
    data_check,
    reproduction,
)
"""Sections of `ftaug report`, in reading order."""

AFTER_TRAINING: Sequence[SectionOf] = (
    mistakes_without_explanations,
    confused_pairs,
    *RESULTS,
    data_card,
    reproduction,
)
"""Sections of the report that `ftaug train` ends with: those that take well under a second."""


def report_of(run: ReportedRun, sections: Sequence[SectionOf]) -> Report:
    """Compute the report of a run; sections whose data or weights are gone are left out, and named."""
    left_out: list[tuple[str, str]] = []
    computed = [*_computed(run, sections, left_out)]
    if left_out:
        lines = [Paragraph(f"{name}: {reason}") for name, reason in left_out]
        computed.append(Section("left_out", "Left out", lines, dict(left_out)))
    return Report(
        title(run),
        verdict(run, computed),
        alerts_of(run, computed),
        computed,
        subtitle=f"{run.folder}: {run.results['checkpoint']} on the {SPLITS.get(run.split, run.split)} split",
        footer=f"ftaug {ftaug.__version__}",
        facts=facts(run),
    )


def title(run: ReportedRun) -> str:
    """Return the name of the experiment."""
    return json.loads(run.settings.settings.get("name", "null")) or run.folder.name


def facts(run: ReportedRun) -> dict[str, object]:
    """Return what the JSON of a report says of a run: folder, checkpoint, split and metrics."""
    keys = ("checkpoint", "split", "samples", "metrics", "intervals")
    return {"run": str(run.folder), **{key: run.results[key] for key in keys if key in run.results}}


def _computed(run: ReportedRun, sections: Sequence[SectionOf], left_out: list[tuple[str, str]]) -> Iterator[Section]:
    for section_of in sections:
        try:
            section = section_of(run)
        except FtaugError as error:
            left_out.append((section_of.__name__.replace("_", " "), str(error)))
            continue
        if section is not None:
            yield section
