"""The run that a report is about: its predictions on a split, and what its folder holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftaug.engine.loading.split import DataSplit
from ftaug.errors import BadData
from ftaug.interfaces.data import Task
from ftaug.runs import sample_records
from ftaug.statistics.records import Records

if TYPE_CHECKING:
    from ftaug.runs.trained_model import TrainedModel


@dataclass(frozen=True)
class ReportedRun:
    """A run with its predictions on a split; the argument of every section."""

    folder: Path
    split: str  # train, val or test
    records: Records  # in the order of the split
    ids: Sequence[str]  # of the records, as in the records' file
    names: Sequence[str]  # human-readable, of the samples
    results: Mapping[str, Any]  # of evaluate-SPLIT.json: metrics, intervals, classes, …
    facts: Mapping[str, Any]  # of model.json
    rows: Sequence[Mapping[str, Any]]  # of metrics.jsonl; empty for a folder of folds
    load_model: Callable[[], TrainedModel]

    @property
    def task(self) -> Task:
        """The prediction task."""
        return self.records.task

    @cached_property
    def model(self) -> TrainedModel:
        """The model, loaded when a section first asks for it; raises what opening a run raises."""
        return self.load_model()

    @cached_property
    def data(self) -> DataSplit:
        """The samples of the records, in their order; raises BadData if they have changed since."""
        data = self.model.select_split(self.split)
        if sample_records.ids_of(data) != list(self.ids):
            raise BadData(
                f"{self.folder}: the {self.split} samples have changed since they were evaluated; evaluate them "
                f"anew: ftaug evaluate {self.folder} --split {self.split}"
            )
        return data
