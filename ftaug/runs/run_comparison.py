"""Compare runs on the samples that they were evaluated on: differences of metrics with intervals and tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ftaug.engine.system.resume_check import changes
from ftaug.errors import BadData, ExperimentError, did_you_mean
from ftaug.runs import sample_records
from ftaug.runs.compared_runs import RunSettings, best_metric, read_records, with_groups
from ftaug.runs.sample_records import SampleRecords
from ftaug.statistics.bootstrap import sampling
from ftaug.statistics.comparison import Difference, adjusted, compare
from ftaug.statistics.intervals import few_label
from ftaug.statistics.metric_table import Metric, standard_metrics
from ftaug.statistics.records import Records

ONE_RUN = "with one run a side, what another seed of training would change cannot be seen"


@dataclass(frozen=True)
class Side:
    """A run, or several that differ by their seed alone, with their records of one split."""

    runs: Sequence[RunSettings]
    samples: Sequence[SampleRecords]  # of each run, of the same samples

    @property
    def name(self) -> str:
        """The folder of its first run."""
        return str(self.runs[0].folder)

    @property
    def records(self) -> list[Records]:
        """The records of its runs."""
        return [each.records for each in self.samples]

    @property
    def ids(self) -> np.ndarray:
        """The ids of its samples."""
        return self.samples[0].ids


class MetricDifference(NamedTuple):
    """The difference of a metric between the first side and another."""

    side: Side
    metric: str
    difference: Difference
    few: str  # "few errors", "few successes" or "few samples" of one of the sides, else ""


@dataclass(frozen=True)
class RunComparison:
    """The first side against each other side."""

    first: Side
    others: Sequence[Side]
    differences: Sequence[MetricDifference]
    notes: Sequence[str]
    paired: bool

    def of(self, side: Side) -> list[MetricDifference]:
        """Return the differences of a side from the first."""
        return [each for each in self.differences if each.side is side]


def group_by_settings(runs: Sequence[RunSettings]) -> list[list[RunSettings]]:
    """Group the runs that differ by their seed alone, in their order; raises ExperimentError if it is one group."""
    groups: list[list[RunSettings]] = []
    for run in runs:
        repeats = (group for group in groups if all(run.is_repeat_of(other) for other in group))
        group = next(repeats, None)
        if group is None:
            groups.append([run])
        else:
            group.append(run)
    if len(groups) < 2:
        raise ExperimentError(
            f"{' and '.join(str(run.folder) for run in runs)} differ by their seed alone, which makes them one side; "
            "name a run with other settings to compare them with"
        )
    return groups


def open_sides(groups: Sequence[Sequence[RunSettings]], split: str) -> list[Side]:
    """Read the records of each side; raises BadData if the runs of a side were evaluated on different samples."""
    sides = []
    for group in groups:
        samples = [read_records(run, split) for run in group]
        for run, each in zip(group[1:], samples[1:], strict=True):
            if not np.array_equal(each.ids, samples[0].ids):
                raise BadData(
                    f"{group[0].folder} and {run.folder} differ by their seed alone, but their {split} samples differ, "
                    "which the seed draws too; compare them on a test split: --split test"
                )
        sides.append(Side(group, samples))
    return sides


def compare_sides(sides: Sequence[Side], metrics: Mapping[str, Metric]) -> RunComparison:
    """Compare the first side with each other one, with Holm's correction over all comparisons; raises BadData."""
    first, *others = sides
    notes = [note for side in others if (note := _pairing_note(first, side))]
    paired = not notes
    if paired:
        sides = _with_common_groups(sides)
        first, *others = sides
    differences: dict[str, Difference] = {}
    for number, side in enumerate(others):
        of_side = compare(first.records, side.records, metrics, paired=paired)
        differences |= {f"{number} {name}": difference for name, difference in of_side.items()}
    after_holm = adjusted(differences)
    rows = [
        MetricDifference(side, name, after_holm[f"{number} {name}"], _few(metric, first, side))
        for number, side in enumerate(others)
        for name, metric in metrics.items()
    ]
    if all(len(side.runs) == 1 for side in sides):
        notes.append(ONE_RUN)
    elif single := [side.name for side in sides if len(side.runs) == 1]:
        notes.append(f"{', '.join(single)}: one run, so that what another seed of training would change is not seen")
    return RunComparison(first, others, rows, notes, paired)


def choose_metrics(names: Sequence[str], runs: Sequence[RunSettings]) -> tuple[dict[str, Metric], list[str]]:
    """Return the metrics to compare and notes on them; without names, that of `evaluate.best` and accuracy or MAE."""
    task = runs[0].task
    metrics = standard_metrics(task)
    if not sample_records.is_complete(task):
        metrics = {name: m for name, m in metrics.items() if not name.startswith(sample_records.LEFT_OUT)}
    for name in names:
        if name not in metrics:
            raise ExperimentError(f"--metric {name}: has no interval{did_you_mean(name, metrics)}")
    if names:
        return {name: metrics[name] for name in names}, []
    best = best_metric(runs[0])
    general = "mae" if task.regression else "accuracy"
    if best in metrics:
        return {name: metrics[name] for name in (best, general)}, []
    return {general: metrics[general]}, [f"evaluate.best ({best}) has no interval; name others by --metric"]


def differing_settings(first: Side, other: Side) -> dict[str, tuple[str, str]]:
    """Return the settings that differ between two sides, each with both values."""
    run, other_run = first.runs[0], other.runs[0]
    differing = changes(run.settings, other_run.settings)
    if len(first.runs) == len(other.runs) == 1 and run.seed != other_run.seed:
        differing = {"seed": (run.seed, other_run.seed), **differing}
    return differing


def _pairing_note(first: Side, other: Side) -> str:
    """Return why two sides cannot be paired, or nothing; raises BadData if they share no sample or disagree on one."""
    common, rows, other_rows = np.intersect1d(first.ids, other.ids, return_indices=True)
    counts = f"{len(first.ids):,} and {len(other.ids):,}"
    if not len(common):
        raise BadData(
            f"{other.name} and {first.name} were evaluated on other samples: none of their {counts} is in both; "
            "evaluate both on the same data"
        )
    targets = first.records[0].targets[rows], other.records[0].targets[other_rows]
    relabeled = int((targets[0] != targets[1]).reshape(len(common), -1).any(axis=1).sum())
    if relabeled:
        raise BadData(
            f"{other.name} and {first.name} have different targets for {relabeled:,} of {len(common):,} samples; "
            "evaluate both on the same data"
        )
    if len(common) == len(first.ids) == len(other.ids):
        return ""
    return (
        f"{other.name} and {first.name} were evaluated on different samples ({counts}, {len(common):,} of them in "
        "both): the comparison is unpaired, and less exact"
    )


def _with_common_groups(sides: Sequence[Side]) -> list[Side]:
    samples = iter(with_groups([each for side in sides for each in side.samples]))
    return [Side(side.runs, [next(samples) for _ in side.runs]) for side in sides]


def _few(metric: Metric, *sides: Side) -> str:
    labels = [few_label(metric.evidence(r), sampling(r)) for side in sides for r in side.records]
    return next((label for label in labels if label), "")


def as_json(comparison: RunComparison, split: str) -> dict[str, Any]:
    """Convert a comparison to a JSON value."""
    return {
        "split": split,
        "samples": len(comparison.first.ids),
        "paired": comparison.paired,
        "sides": [
            {"run": side.name, "runs": [str(run.folder) for run in side.runs], "seeds": [run.seed for run in side.runs]}
            for side in (comparison.first, *comparison.others)
        ],
        "comparisons": [_difference_json(comparison.first, each) for each in comparison.differences],
        "settings": {
            side.name: {key: list(values) for key, values in differing_settings(comparison.first, side).items()}
            for side in comparison.others
        },
        "notes": list(comparison.notes),
    }


def _difference_json(first: Side, row: MetricDifference) -> dict[str, Any]:
    difference = row.difference
    better = difference.better()
    return {
        "metric": row.metric,
        "first": {"run": first.name, "value": difference.first},
        "second": {"run": row.side.name, "value": difference.second},
        "difference": difference.value,
        "low": difference.low,
        "high": difference.high,
        "p": difference.p,
        "adjusted_p": difference.adjusted_p,
        "method": difference.method,
        "better": None if better is None else (first if better == "first" else row.side).name,
        **({"note": row.few} if row.few else {}),
    }
