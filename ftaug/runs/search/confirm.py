"""Compare the best trial with the unsearched experiment, on validation samples that no trial has seen.

Both were trained again with the same further seeds. Which finalist is compared is chosen by the other half of
validation, so that the samples of the comparison have chosen nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.config.experiment import Experiment
from ftaug.config.strict_json import dumps
from ftaug.engine.loading.split import DataSplit, load_splits, subset
from ftaug.errors import BadData
from ftaug.runs.bad_samples import readable
from ftaug.runs.compared_runs import best_metric, read_settings
from ftaug.runs.open_run import open_run
from ftaug.runs.report.intervals import records_of
from ftaug.runs.study.study_run import StudyRun
from ftaug.statistics.comparison import Difference, compare
from ftaug.statistics.metric_table import standard_metrics
from ftaug.statistics.records import Records

FEWEST = 20
"""Samples below which no difference of a plausible size could be confirmed."""


@dataclass(frozen=True)
class Confirmation:
    """The difference between the unsearched experiment and the best trial."""

    candidate: str  # the number of the trial
    metric: str
    difference: Difference  # first: the unsearched experiment
    samples: int
    seeds: int
    means: Mapping[str, float]  # of the metric that chooses, by candidate, on the samples of the trials

    @property
    def is_better(self) -> bool:
        """Whether the best trial is better than the unsearched experiment, at a level of 95%."""
        return self.difference.better() == "second"

    @property
    def sentence(self) -> str:
        """The result in one line."""
        d = self.difference
        interval = "without variation" if math.isnan(d.low) else f"[{d.low:+.4f}, {d.high:+.4f}]"
        size = f"{self.metric} {d.value:+.4f} {interval}"
        basis = f"on {self.samples:,} samples that no trial has seen, {self.seeds} seed{'s' * (self.seeds > 1)} each"
        verdict = "better than" if self.is_better else "worse than" if d.better() == "first" else "not better than"
        return f"trial {int(self.candidate)} is {verdict} the unsearched experiment: {size}, {basis}"

    def as_json(self) -> dict[str, Any]:
        """Convert to a JSON value."""
        facts = {key: value for key, value in asdict(self.difference).items() if key != "adjusted_p"}
        return {
            "trial": int(self.candidate),
            "metric": self.metric,
            "better": self.is_better,
            **facts,
            "difference": self.difference.value,
            "samples": self.samples,
            "seeds": self.seeds,
            "selection": dict(self.means),
        }


def require_confirmation(experiment: Experiment) -> None:
    """Check before the first trial that validation has enough samples to hold some out; raises BadData."""
    held_out = len(load_splits(experiment.data, experiment.seed)["val"].confirmation)
    if held_out < FEWEST:
        raise BadData(
            f"data.val: {held_out} samples would be held out to confirm the result, and {FEWEST} are the least; "
            "enlarge data.val, or set search.confirm: null"
        )


def confirm(
    finalists: Sequence[str],
    default: Mapping[int, StudyRun],
    runs: Mapping[str, Mapping[int, StudyRun]],
    metric: str,
    *,
    higher_is_better: bool,
    device: str,
) -> Confirmation | None:
    """Compare the finalist with the best mean of a metric; None if no finalist has a seed in common with the default.

    Seeds of which a run failed are left out.
    """
    complete = {name: _complete(runs.get(name, {}), default) for name in finalists}
    means = {
        name: float(np.mean([run.metrics[metric] for run in each.values() if run.metrics is not None]))
        for name, each in complete.items()
        if each
    }
    if not means:
        return None
    sign = 1 if higher_is_better else -1
    chosen = max(means, key=lambda name: sign * means[name])
    pairs = [(default[seed], run) for seed, run in sorted(complete[chosen].items())]
    first = [_records(run.path, device) for run, _ in pairs]
    second = [_records(run.path, device) for _, run in pairs]
    settings = read_settings(pairs[0][1].path)
    name = best_metric(replace(settings, settings={**settings.settings, "evaluate.best": dumps(metric)}))
    metrics = standard_metrics(settings.task)
    if name not in metrics:
        name = "mae" if settings.task.regression else "accuracy"
    difference = compare(first, second, {name: metrics[name]})[name]
    baseline = [run.metrics[metric] for run in default.values() if run.metrics is not None]
    means["default"] = float(np.mean(baseline))
    return Confirmation(chosen, name, difference, len(first[0]), len(pairs), means)


def _complete(runs: Mapping[int, StudyRun], default: Mapping[int, StudyRun]) -> dict[int, StudyRun]:
    """Return the runs that are complete, with seeds with which the default is complete too."""
    return {
        seed: run
        for seed, run in runs.items()
        if run.metrics is not None and seed in default and default[seed].metrics is not None
    }


def _records(run: Path, device: str) -> Records:
    """Predict the samples that were held out from validation."""
    opened = open_run(run, device, trust_plugins=True)
    val = opened.splits["val"]
    held_out: DataSplit = subset("val", val.samples, np.array(val.confirmation, np.int64), opened.task)
    held_out = readable(opened.experiment, {"train": opened.splits["train"], "val": held_out})["val"]
    return records_of(opened.compute_metrics(opened.logits(held_out), held_out), held_out)
