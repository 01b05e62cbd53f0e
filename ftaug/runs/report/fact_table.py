"""Distribution of facts about samples, such as durations or brightness, as `ftaug inspect --read` shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.table import Table

from ftaug.config.experiment import Experiment
from ftaug.engine.loading.prepare import modality_of
from ftaug.engine.loading.sample_facts import sample_facts
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.loading.workers import processes
from ftaug.runs.report import console

QUANTILES = {"lowest": 0.0, "10 %": 0.1, "median": 0.5, "90 %": 0.9, "highest": 1.0}
COUNTED = 4
"""Number of different values up to which each is counted."""


def distributions(experiment: Experiment, data: Mapping[str, DataSplit]) -> dict[str, dict[str, Any]]:
    """Compute the distribution of each fact over all splits: quantiles of numbers, counts of few or of words.

    Raises BadSample.
    """
    verbs, workers = modality_of(experiment), processes(experiment.data.workers)
    values: dict[str, list[float | str]] = {}
    for split in data.values():
        for name, column in sample_facts(split, verbs, workers).items():
            values.setdefault(name, []).extend(column)
    return {name: distribution(column) for name, column in values.items()}


def distribution(values: Sequence[float | str]) -> dict[str, Any]:
    """Return the quantiles of numbers, and how often each value occurs, where these are few or words."""
    counts = Counter(values)
    result: dict[str, Any] = {}
    if not any(isinstance(value, str) for value in values):
        result = {name: float(np.quantile(np.array(values, float), q)) for name, q in QUANTILES.items()}
    if not result or len(counts) <= COUNTED:
        result["counts"] = {_short(value): count for value, count in counts.most_common()}
    return result


def table(facts: Mapping[str, Mapping[str, Any]]) -> Table:
    """Build the table of distributions."""
    rows = [
        (name, *(_short(row.get(quantile, "")) for quantile in QUANTILES), _counts(row.get("counts", {})))
        for name, row in facts.items()
    ]
    return console.table(("fact", *QUANTILES, "samples with each value"), rows)


def _counts(counts: Mapping[str, int]) -> str:
    named = [f"{value}: {count:,}" for value, count in list(counts.items())[:COUNTED]]
    return ", ".join(named) + ", …" * (len(counts) > COUNTED)


def _short(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
