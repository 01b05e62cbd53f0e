"""The metric that a run is summarized by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ftaug.runs.compared_runs import RunSettings, best_metric
from ftaug.statistics.metric_table import Metric, standard_metrics

GENERAL = {"regression": "rmse", "single_label": "accuracy", "multi_label": "f1_macro"}


@dataclass(frozen=True)
class Headline:
    """A metric of a run with its interval."""

    name: str
    metric: Metric
    result: Mapping[str, Any]  # value; low, high and a note if there are such

    @property
    def value(self) -> float:
        """The value of the metric."""
        return float(self.result["value"])


def chosen_by(settings: RunSettings) -> str:
    """Return `evaluate.best`: the name that the metric of the best checkpoint has in metrics.jsonl."""
    return str(json.loads(settings.settings.get("evaluate.best", '"loss"')))


def headline_name(settings: RunSettings) -> str:
    """Return the metric of `evaluate.best`, if it has an interval, else accuracy, macro F1 or RMSE."""
    best = best_metric(settings)
    return best if best in standard_metrics(settings.task) else GENERAL[settings.task.kind]


def headline(settings: RunSettings, intervals: Mapping[str, Mapping[str, Any]]) -> Headline:
    """Return the metric that a run is summarized by, from metrics with their intervals."""
    name = headline_name(settings)
    if name not in intervals:  # of ranks, which large splits leave out
        name = GENERAL[settings.task.kind]
    return Headline(name, standard_metrics(settings.task)[name], intervals[name])
