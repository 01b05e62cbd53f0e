"""The run that a report is about: its predictions on a split, and what its folder holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftaug.config.experiment import Experiment
from ftaug.engine.loading.split import DataSplit
from ftaug.interfaces.data import Task
from ftaug.runs.compared_runs import RunSettings
from ftaug.statistics.records import Records

if TYPE_CHECKING:
    from ftaug.runs.trained_model import TrainedModel


@dataclass(frozen=True)
class ReportedRun:
    """A run with its predictions on a split; the argument of every section."""

    settings: RunSettings
    split: str  # train, val or test
    records: Records  # in the order of the split
    names: Sequence[str]  # human-readable, of the samples
    results: Mapping[str, Any]  # of evaluate-SPLIT.json: metrics, intervals, classes, …
    facts: Mapping[str, Any]  # of model.json
    rows: Sequence[Mapping[str, Any]]  # of metrics.jsonl; empty for a folder of folds
    load_experiment: Callable[[], Experiment]
    load_model: Callable[[], TrainedModel]
    load_data: Callable[[], DataSplit]

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.settings.folder

    @property
    def task(self) -> Task:
        """The prediction task."""
        return self.records.task

    @cached_property
    def experiment(self) -> Experiment:
        """The experiment, loaded when a section first asks for it."""
        return self.load_experiment()

    @cached_property
    def model(self) -> TrainedModel:
        """The model, loaded when a section first asks for it; raises what opening a run raises."""
        return self.load_model()

    @cached_property
    def data(self) -> DataSplit:
        """The samples of the records, in their order; raises BadData if they have changed since, MissingInput."""
        return self.load_data()
