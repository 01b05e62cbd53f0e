"""Records of evaluated samples, `report/SPLIT.samples.csv` or `.parquet`: target, prediction and probabilities."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ftaug.engine.loading.sample_keys import identities, sample_keys
from ftaug.engine.loading.split import DataSplit
from ftaug.errors import BadData
from ftaug.interfaces.data import Task
from ftaug.runs import parquet_records
from ftaug.statistics.probability_metrics import sample_nll
from ftaug.statistics.records import Records

ALL_PROBABILITIES = 1000
"""Number of classes up to which every probability is written."""
TOP = 50
"""Number of the highest probabilities that are written for more classes, beside that of the target."""
LEFT_OUT = ("brier", "auroc", "average_precision")
"""Metrics that depend on all probabilities."""


RecordFormat = Literal["csv", "parquet"]
FORMATS: tuple[RecordFormat, ...] = ("csv", "parquet")
Columns = Mapping[str, Sequence[str | float]]
"""A value for each sample of a split, by name of the column."""


@dataclass(frozen=True)
class SampleRecords:
    """The records of a split in the order of their ids, as `ftaug evaluate` wrote them."""

    path: Path
    ids: np.ndarray  # hash of the identity of each sample, str (n,), ascending
    records: Records
    names: Sequence[str] = ()  # of the samples
    rows: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))  # place of each in the file, (n,)


def is_complete(task: Task) -> bool:
    """Whether records hold the probabilities of all classes."""
    return task.kind != "single_label" or len(task.classes) <= ALL_PROBABILITIES


def path_of(run: Path, split: str, file_format: RecordFormat = "csv") -> Path:
    """Return the path of the records of a split."""
    return run / "report" / f"{split}.samples.{file_format}"


def existing_path(run: Path, split: str) -> Path | None:
    """Return the path of the records of a split in the format in which they were written; None without records."""
    paths = (path_of(run, split, each) for each in FORMATS)
    return next((path for path in paths if path.is_file()), None)


def to_csv(split: DataSplit, records: Records, columns: Columns) -> bytes:
    """Format the records of a split as CSV: a row for each sample, in the order of the split, with further columns."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_header(split, records, columns))
    writer.writerows(_rows(split, records, columns))
    return text.getvalue().encode(errors="surrogateescape")


def to_parquet(split: DataSplit, records: Records, columns: Columns) -> bytes:
    """Format the records of a split as Parquet, with the columns of the CSV; raises Unavailable."""
    header = _header(split, records, columns)
    further = [float if all(isinstance(v, float) for v in values) else str for values in columns.values()]
    types = [_type_of(name, split.task) for name in header[: len(header) - len(further)]]
    return parquet_records.to_parquet(header, [*types, *further], _rows(split, records, columns))


def _type_of(heading: str, task: Task) -> type:
    if heading in ("group", "correct"):
        return int
    is_number = heading.startswith("probability_") or (task.regression and heading not in ("id", "name"))
    return float if is_number or heading == "loss" else str


def _header(split: DataSplit, records: Records, columns: Columns) -> list[str]:
    fixed = headings(split.task, has_groups=records.groups is not None)
    return [*fixed, *(f"column_{name}" for name in columns)]


def _rows(split: DataSplit, records: Records, columns: Columns) -> Iterator[tuple[object, ...]]:
    ids = ids_of(split)
    losses = sample_losses(records)
    for row, name in enumerate(split.names()):
        group = [int(records.groups[row])] if records.groups is not None else []
        correct = [] if split.task.regression else [int(records.correct[row])]
        yield (
            ids[row],
            name,
            *group,
            *_cells(records, row),
            f"{losses[row]:.9g}",
            *correct,
            *(_cell(values[row]) for values in columns.values()),
        )


def ids_of(split: DataSplit) -> list[str]:
    """Return the ids of the records of a split: a hash of the identity of each sample."""
    return [f"{word:016x}" for word in identities(sample_keys(split.samples), None)[split.ids].tolist()]


def headings(task: Task, *, has_groups: bool) -> list[str]:
    """Return the columns of the file, but for those of the table that the samples are from."""
    start = ["id", "name", *(["group"] if has_groups else [])]
    if task.regression:
        sides = [f"{side}_{name}" for side in ("target", "prediction") for name in task.classes]
        return [*start, *sides, "loss"]
    if is_complete(task):
        probabilities = [f"probability_{name}" for name in task.classes]
    else:
        probabilities = [f"{name}_{rank}" for rank in range(1, TOP + 1) for name in ("class", "probability")]
        probabilities.append("probability_target")
    return [*start, "target", "prediction", *probabilities, "loss", "correct"]


def _cell(value: object) -> object:
    return f"{value:.6g}" if isinstance(value, float) else value


def sample_losses(records: Records) -> np.ndarray:
    """Return the loss of each sample (n,): negative log-likelihood, in regression the mean squared error."""
    if records.task.regression:
        return np.asarray(((records.predictions.astype(np.float64) - records.targets) ** 2).mean(axis=1))
    return sample_nll(records)


def sample_errors(records: Records) -> np.ndarray:
    """Return the error of each sample (n,): 0 or 1, in regression the mean absolute error of its numbers."""
    if records.task.regression:
        return np.asarray(np.abs(records.predictions.astype(np.float64) - records.targets).mean(axis=1))
    return (~records.correct).astype(np.float64)


def _cells(records: Records, row: int) -> Iterator[str]:
    """Yield the target, the prediction and the probabilities of a sample."""
    task, target, predicted = records.task, records.targets[row], records.predictions[row]
    if task.regression:
        yield from (f"{number:.17g}" for number in (*target.tolist(), *predicted.tolist()))
        return
    yield _label(target, task)
    yield _label(records.decided[row] if task.multi_label else records.predicted_class[row], task)
    if is_complete(task):
        yield from (f"{p:.9g}" for p in predicted.tolist())
        return
    for index in np.argsort(-predicted, kind="stable")[:TOP].tolist():
        yield task.classes[index]
        yield f"{predicted[index]:.9g}"
    yield f"{predicted[target]:.9g}"


def _label(target: Any, task: Task) -> str:
    """Format a class name, or several joined with `|`."""
    return task.classes[target] if target.ndim == 0 else "|".join(task.classes[i] for i in np.flatnonzero(target))


def read(path: Path, task: Task, evaluate: str) -> SampleRecords:
    """Read the records of a split; raises BadData, with the command to write them anew, if they are damaged."""
    try:
        header, rows = (parquet_records.read_parquet if path.suffix == ".parquet" else _read_csv)(path)
        has_groups = header[2:3] == ["group"]
        expected = headings(task, has_groups=has_groups)
        if header[: len(expected)] != expected:
            raise BadData(f"{path}: are records of another task or version; write them anew: {evaluate}")
        if not rows:
            raise BadData(f"{path}: holds no samples; write it anew: {evaluate}")
        ids = np.array([row[0] for row in rows])
        order = np.argsort(ids, kind="stable")
        groups = np.array([int(row[2]) for row in rows]) if has_groups else None
        first = 3 if has_groups else 2
        records = Records(task, *_arrays([row[first : len(expected)] for row in rows], task), groups)
    except (OSError, ValueError, KeyError, IndexError, csv.Error) as error:
        raise BadData(f"{path}: is damaged ({error}); write it anew: {evaluate}") from None
    return SampleRecords(path, ids[order], records.select(order), [rows[row][1] for row in order.tolist()], order)


def _read_csv(path: Path) -> tuple[list[str], Sequence[Sequence[Any]]]:
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        header, *rows = csv.reader(file, strict=True)
    return header, rows


def _arrays(rows: Sequence[Sequence[Any]], task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Return predictions and targets from target, prediction and probabilities of each row."""
    count = len(task.classes)
    if task.regression:
        numbers = np.array([row[: 2 * count] for row in rows], np.float64)
        return numbers[:, count:], numbers[:, :count]
    index = {name: code for code, name in enumerate(task.classes)}
    if task.multi_label:
        targets = np.zeros((len(rows), count), np.uint8)
        for position, row in enumerate(rows):
            targets[position, [index[name] for name in row[0].split("|") if name]] = 1
    else:
        targets = np.array([index[row[0]] for row in rows], np.int64)
    if is_complete(task):
        return np.array([row[2 : 2 + count] for row in rows], np.float32), targets
    predictions = np.empty((len(rows), count), np.float32)
    for position, row in enumerate(rows):
        listed = [index[name] for name in row[2 : 2 + 2 * TOP : 2]]
        values = np.array(row[3 : 3 + 2 * TOP : 2], np.float32)
        predictions[position] = max(0.0, 1 - float(values.sum())) / (count - TOP)  # the rest, spread evenly
        predictions[position, listed] = values
        predictions[position, targets[position]] = np.float32(row[2 + 2 * TOP])
    return predictions, targets
