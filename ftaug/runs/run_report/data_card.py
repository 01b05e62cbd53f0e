"""The data of a run: sources, number of samples of each split, class balance and fingerprints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ftaug.engine.loading.data_record import PURPOSES, SAMPLES_FILE, read_rows
from ftaug.engine.system.run_files import fold_folder
from ftaug.interfaces.document import BarChart, Block, DataTable, Paragraph, Section
from ftaug.runs.run_report.formats import SPLITS, samples
from ftaug.runs.run_report.reported_run import ReportedRun

LISTED = 500
"""Number of classes up to which all are listed."""
BARS = 40
"""Number of classes up to which the class balance is a chart."""


def data_card(run: ReportedRun) -> Section:
    """Describe the data that the run was trained and evaluated on, from what its folder records."""
    counts = class_counts(run)
    sources: Mapping[str, Any] = run.facts.get("sources") or {}
    rows = [
        (
            SPLITS[split],
            f"{total:,}",
            _source(sources.get(split)),
            str(run.facts["data"].get(split, ""))[:12],
        )
        for split, (total, _) in counts.items()
    ]
    blocks: list[Block] = [DataTable(("split", "samples", "source", "fingerprint"), rows), *_balance(run, counts)]
    left_out = run.results.get("left_out")
    if left_out:
        blocks.append(Paragraph(f"{samples(left_out)} cannot be read and {'is' if left_out == 1 else 'are'} left out."))
    facts = {
        "samples": {split: total for split, (total, _) in counts.items()},
        "classes": {split: dict(by_class) for split, (_, by_class) in counts.items()},
        "sources": sources,
        "fingerprints": run.facts["data"],
    }
    return Section("data", "Data", blocks, facts)


def class_counts(run: ReportedRun) -> dict[str, tuple[int, Counter[str]]]:
    """Count the samples of each split, and by class; of a regression there are no classes."""
    record = (fold_folder(run.folder, 1) if run.settings.is_folds else run.folder) / SAMPLES_FILE
    totals: Counter[str] = Counter()
    classes: dict[str, Counter[str]] = {}
    for row in read_rows(record):
        if row.split in PURPOSES:
            split = "train" if run.settings.is_folds and row.split == "val" else row.split
            totals[split] += 1
            names = () if run.task.regression else row.target.split("|") if run.task.multi_label else (row.target,)
            classes.setdefault(split, Counter()).update(name for name in names if name)
    return {split: (totals[split], classes[split]) for split in SPLITS if split in totals}


def _source(source: Any) -> str:
    """Format a dataset, or the share that is split off, with its settings: `image_folder (path photos)`."""
    if isinstance(source, str):
        return source
    if not isinstance(source, Mapping):
        return ""
    (name, settings), *others = source.items()
    if others or not isinstance(settings, Mapping):  # such as {split: 0.2}
        return ", ".join(f"{key} {value}" for key, value in source.items())
    shown = ", ".join(f"{key} {value}" for key, value in settings.items() if value not in (None, False))
    return f"{name} ({shown})" if shown else name


def _balance(run: ReportedRun, counts: Mapping[str, tuple[int, Counter[str]]]) -> list[Block]:
    if run.task.regression or "train" not in counts:
        return []
    splits = list(counts)
    by_class = counts["train"][1]
    order = sorted(run.task.classes, key=lambda name: -by_class[name])
    if len(order) <= BARS:
        bars = [(name, float(by_class[name]), f"{by_class[name]:,}") for name in order]
        return [BarChart(bars, "Number of training samples of each class", "training samples of each class")]
    rows = [(name, *(f"{counts[split][1][name]:,}" for split in splits)) for name in order[:LISTED]]
    largest = f", the {LISTED:,} largest of {len(order):,}" if len(order) > LISTED else ""
    headings = ("class", *(SPLITS[split] for split in splits))
    return [DataTable(headings, rows, f"samples of each class{largest}")]
