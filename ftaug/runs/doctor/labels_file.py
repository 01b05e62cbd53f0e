"""Write all samples with their labels into a table to edit and train from, those to look at first."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.data import names
from ftaug.data.packed import Packed
from ftaug.engine.system.storage import replace, storage_errors
from ftaug.errors import BadData
from ftaug.interfaces.data import Task
from ftaug.interfaces.data_health import DataHealth
from ftaug.runs.doctor.duplicates import Duplicates
from ftaug.runs.doctor.examine import Diagnosis
from ftaug.runs.doctor.label_suspects import LabelSuspects
from ftaug.runs.doctor.scan import Scan, data_health

LABELS_FILE = "labels.csv"
PICTURES = "pictures"
SEPARATORS = ("|", ";", ",", "/")
SHARE = "20%"
NOTHING = {"suggested": "", "probability": "", "copy_of": ""}
"""The further cells of a sample that is no suspect and no copy."""


@dataclass(frozen=True)
class LabelsFile:
    """A written table, and the section `data` of an experiment file that reads it."""

    path: Path
    data: Mapping[str, Any]


def write(diagnosis: Diagnosis, folder: Path, *, with_groups: bool) -> LabelsFile:
    """Write the table into a folder, with a column of groups if asked for."""
    scan, task = diagnosis.scan, diagnosis.scan.splits["train"].task
    health = data_health(diagnosis.experiment.modality)
    if not len(scan):
        raise BadData(f"{folder}: no sample can be read, so there is no table to write")
    with storage_errors(f"cannot write {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
        inputs = _Inputs(scan, health, folder / PICTURES)
        notes = _notes(scan, task, diagnosis.duplicates, diagnosis.suspects)
        columns = [*inputs[0], *_targets(scan, 0, task), *(["group"] if with_groups else []), "split", *NOTHING]
        table = (
            {
                **inputs[row],
                **_targets(scan, row, task),
                **({"group": str(diagnosis.groups[row])} if with_groups else {}),
                "split": scan.sample(row).split.purpose,
                **notes.get(row, NOTHING),
            }
            for row in _order(scan, diagnosis)
        )
        content = io.BytesIO()
        text = io.TextIOWrapper(content, "utf-8", "surrogateescape", newline="", write_through=True)
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
        path = folder / LABELS_FILE
        replace(path, content.getbuffer())
    texts = [*inputs[0]] if inputs.root is None else []
    return LabelsFile(path, _data(diagnosis, health.table, path, inputs.root, texts, with_groups=with_groups))


class _Inputs:
    """The cells of the samples' inputs: their texts, or their paths below the deepest folder that holds all files."""

    def __init__(self, scan: Scan, health: DataHealth, folder: Path) -> None:
        self._scan, self._health, self._folder = scan, health, folder
        self._paths: Packed | None = None
        self.root: str | None = None
        if "path" in self._cells(0):
            self._paths = Packed.of(os.fsencode(self._cells(row)["path"]) for row in range(len(scan)))
            folders = {os.path.dirname(self._paths[row]) for row in range(len(scan))}  # noqa: PTH120 - a Path is slow
            self.root = os.fsdecode(os.path.commonpath([*folders]))

    def _cells(self, row: int) -> dict[str, str]:
        sample = self._scan.sample(row)
        return dict(self._health.cells(sample.split.samples, sample.sample_id, self._folder))

    def __getitem__(self, row: int) -> dict[str, str]:
        if self._paths is None:
            return self._cells(row)
        return {"path": os.path.relpath(os.fsdecode(self._paths[row]), self.root)}


def _order(scan: Scan, diagnosis: Diagnosis) -> Iterator[int]:
    """Yield all rows: suspects first, then duplicates, then the others."""
    suspects = [] if diagnosis.suspects is None else diagnosis.suspects.rows[: diagnosis.suspects.count].tolist()
    first = dict.fromkeys([*suspects, *diagnosis.duplicates.pairs.ravel().tolist()])
    yield from first
    yield from (row for row in range(len(scan)) if row not in first)


def _targets(scan: Scan, row: int, task: Task) -> dict[str, str]:
    """Return the label of a row in the format that the table's dataset reads."""
    sample = scan.sample(row)
    if task.regression:
        return {name: repr(float(x)) for name, x in zip(task.classes, sample.target, strict=True)}
    return {"label": _separator(task).join(sample.split.labels(sample.position))}


def _separator(task: Task) -> str:
    return next((mark for mark in SEPARATORS if not any(mark in name for name in task.classes)), SEPARATORS[0])


def _notes(scan: Scan, task: Task, duplicates: Duplicates, suspects: LabelSuspects | None) -> dict[int, dict[str, str]]:
    """Return for rows to look at the suggested label, the probability of the present one, and what it is a copy of."""
    notes: dict[int, dict[str, str]] = {}
    if suspects is not None:
        for place, row in enumerate(suspects.rows[: suspects.count].tolist()):
            probability = f"{suspects.errors.probabilities[place]:.4f}"
            suggested = _separator(task).join(suspects.suggested_labels(place))
            notes[row] = {**NOTHING, "suggested": suggested, "probability": probability}
    for first, second in duplicates.pairs.tolist():
        notes[second] = {**notes.get(second, NOTHING), "copy_of": scan.sample(first).name}
    return notes


def _data(
    diagnosis: Diagnosis, reader: str, path: Path, root: str | None, texts: Sequence[str], *, with_groups: bool
) -> dict[str, Any]:
    """Return the section `data` that reads the table: the same splits, or with groups splits to be drawn anew."""
    splits, task = diagnosis.scan.splits, diagnosis.scan.splits["train"].task
    settings: dict[str, Any] = {"path": str(path.absolute())}
    settings |= {"root": root} if root is not None else {}
    settings |= {"text": list(texts)} if len(texts) > 1 else {}
    if task.regression:
        settings["target"] = list(task.classes)
    elif names.ordered(task.classes) != [*task.classes] or not np.all(splits["train"].counts()):
        settings["classes"] = list(task.classes)
    settings |= {"labels_separator": _separator(task)} if task.multi_label else {}
    if with_groups:
        data: dict[str, Any] = {purpose: {"split": SHARE} for purpose in splits}
        data["train"] = {reader: settings | {"group": "group"}}
    else:
        data = {purpose: {reader: settings | {"split_column": "split"}} for purpose in splits}
    return data | ({"val": None} if diagnosis.experiment.data.val is None else {})
