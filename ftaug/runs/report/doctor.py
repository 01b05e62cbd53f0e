"""Print what `ftaug doctor` found about the data of an experiment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

from ftaug.runs.doctor import class_checks, duplicates, label_suspects, labels_file, similar_features, suspects_sheet
from ftaug.runs.doctor.examine import Diagnosis
from ftaug.runs.doctor.labels_file import LabelsFile
from ftaug.runs.doctor.scan import Scan, data_health
from ftaug.runs.report import console


class WrittenFiles(NamedTuple):
    """The files that `ftaug doctor --output` writes."""

    labels: LabelsFile
    sheet: Path | None  # None if no sample is to be shown


def write(diagnosis: Diagnosis, folder: Path, *, with_groups: bool) -> WrittenFiles:
    """Write the table of labels, with a column of groups if asked for, and the contact sheet into a folder."""
    labels = labels_file.write(diagnosis, folder, with_groups=with_groups)
    return WrittenFiles(labels, suspects_sheet.write(diagnosis, folder))


def as_json(diagnosis: Diagnosis, files: WrittenFiles | None = None) -> dict[str, Any]:
    """Return the diagnosis as JSON values."""
    scan = diagnosis.scan
    return {
        "samples": {purpose: len(split) for purpose, split in scan.splits.items()},
        "classes": _counts(scan),
        "findings": [finding.as_json() for finding in diagnosis.findings],
        "unreadable": [
            {"split": sample.split.purpose, "name": sample.name, "error": reason} for sample, reason in scan.unreadable
        ],
        "duplicates": [*duplicates.as_json(scan, diagnosis.duplicates)],
        "similar": None if diagnosis.similar is None else [*similar_features.as_json(scan, diagnosis.similar)],
        "labels": str(files.labels.path) if files else None,
        "sheet": str(files.sheet) if files and files.sheet else None,
        "data": files.labels.data if files else None,
        "label_errors": None if diagnosis.suspects is None else label_suspects.as_json(scan, diagnosis.suspects),
    }


def _counts(scan: Scan) -> dict[str, dict[str, int]]:
    """Return the readable samples per class of each split; none in regression."""
    task = scan.splits["train"].task
    if task.regression:
        return {}
    return {
        purpose: dict(zip(task.classes, class_checks.class_counts(scan, purpose).tolist(), strict=True))
        for purpose in scan.splits
    }


def show(diagnosis: Diagnosis, files: WrittenFiles | None = None) -> None:
    """Print the human-readable report."""
    findings = diagnosis.findings
    blocks: list[Any] = [_splits(diagnosis)]
    if findings:
        rows = [(each.level, each.count or "", each.text) for each in findings]
        blocks.append(console.table(("", "samples", "finding"), rows))
    else:
        blocks.append("nothing found")
    for finding in findings:
        if finding.examples or finding.remedy:
            blocks += [f"{finding.text}:", *(f"  {example}" for example in finding.examples)]
            more = finding.count - len(finding.examples) if finding.examples else 0
            blocks += [f"  and {more:,} more"] if more > 0 else []
        if finding.remedy:
            blocks.append(f"  → {finding.remedy}")
    if files is not None:
        blocks += _files(files)
    console.show(*blocks)


def _files(files: WrittenFiles) -> Iterator[str]:
    """Yield the paths of the written files, and the section of an experiment file that trains from the table."""
    yield from (f"wrote {path}" for path in (files.labels.path, files.sheet) if path is not None)
    yield "\nto train from the table, edited or not:"
    yield yaml.safe_dump({"data": files.labels.data}, sort_keys=False, allow_unicode=True, width=80).rstrip()


def _splits(diagnosis: Diagnosis) -> Any:
    """Build the table of the splits: samples, classes and facts such as sizes."""
    scan, noun = diagnosis.scan, data_health(diagnosis.experiment.modality).noun
    known = {name: values for name, values in scan.facts.items() if values.any()}
    rows = []
    for purpose, split in scan.splits.items():
        of_split = scan.rows(purpose)
        counts = np.empty(0) if split.task.regression else class_checks.class_counts(scan, purpose)
        rows.append((purpose, len(split), _range(counts), *(_range(facts[of_split]) for facts in known.values())))
    return console.table(("split", f"{noun}s", "per class", *known), rows)


def _range(values: np.ndarray) -> str:
    """Format the range of a fact: `64`, `64–1,024` or, in seconds, `0.6–12.4`."""
    if not len(values):
        return "–"
    low, high = (f"{limit:,.0f}" if limit >= 100 else f"{limit:.3g}" for limit in (values.min(), values.max()))
    return low if low == high else f"{low}–{high}"
