"""Columns by which results are broken down: of the table that the samples are from, and facts about the samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ftaug.engine.loading.prepare import modality_of
from ftaug.engine.loading.sample_facts import fact_names, sample_facts
from ftaug.engine.loading.split import DataSplit
from ftaug.errors import ExperimentError, did_you_mean
from ftaug.runs.sample_records import Columns
from ftaug.runs.trained_model import TrainedModel

ALL = "all"


def table_columns(split: DataSplit) -> Columns:
    """Return the further columns of the table that the samples are from, by name; none if there is no table."""
    read: Callable[[], Mapping[str, Sequence[str]]] = getattr(split.samples, "columns", dict)
    return {name: [values[index] for index in split.ids.tolist()] for name, values in read().items()}


def column_names(opened: TrainedModel, split: DataSplit, slices: Sequence[str]) -> list[str]:
    """Return the names of the columns among the slices; raises ExperimentError for one that is not there."""
    if not slices:
        return []
    known = [*table_columns(split), *fact_names(split, modality_of(opened.experiment))]
    for name in slices:
        if name != ALL and name not in known:
            raise ExperimentError(f"--slices {name}: there is no such column{did_you_mean(name, [*known, ALL])}")
    return [*dict.fromkeys(known)] if ALL in slices else [*slices]


def columns_with_facts(opened: TrainedModel, split: DataSplit, slices: Sequence[str]) -> Columns:
    """Return the columns of the table, and the facts about the samples if they are among the slices.

    A column of the table hides a fact of the same name.
    """
    columns = table_columns(split)
    if not slices:
        return columns
    if ALL not in slices and all(name in columns for name in slices):
        return columns
    return {**sample_facts(split, modality_of(opened.experiment), opened.workers), **columns}


def choose_columns(columns: Columns, slices: Iterable[str]) -> Columns:
    """Return the columns among the slices; `all` stands for every column."""
    names = set(slices)
    return columns if ALL in names else {name: values for name, values in columns.items() if name in names}
