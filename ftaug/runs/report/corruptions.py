"""Report how a model does on corrupted samples: by corruption and level, by category, and in the mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ftaug.interfaces.data import Task
from ftaug.interfaces.modality import Corruption
from ftaug.runs.corruption_evaluation import CorruptedErrors
from ftaug.runs.report import console
from ftaug.runs.requirements import values_with_ends, with_ends
from ftaug.statistics.intervals import estimates
from ftaug.statistics.metric_table import Evidence, Metric
from ftaug.statistics.records import Records, WeightedRecords

MEAN, EXTRA = "mean", "extra"


def report(
    records: Records, clean: np.ndarray, results: Sequence[CorruptedErrors], trained_on: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Compute accuracy, in regression the mean absolute error, with intervals, from the errors of each sample.

    `records` say what is drawn in the bootstrap; `clean` are the errors without corruption. The mean is over
    corruptions and their levels, without those that are extra if there are others.
    """
    groups = {"clean": clean[None], **_groups(results)}
    groups |= {f"of {r.corruption.name}": r.errors for r in results}
    groups |= {f"{level} {r.corruption.name}": e[None] for r in results for level, e in enumerate(r.errors, 1)}
    metrics = {name: _metric(errors, records) for name, errors in groups.items()}
    values = {name: estimate.as_dict() for name, estimate in estimates(records, metrics).items()}
    rows = [
        {
            "corruption": r.corruption.name,
            "category": r.corruption.category,
            "extra": r.corruption.is_extra,
            **values[f"of {r.corruption.name}"],
            "levels": [values[f"{level} {r.corruption.name}"] for level in range(1, len(r.errors) + 1)],
            "trained_on": list(trained_on.get(r.corruption.name, ())),
        }
        for r in results
    ]
    return {
        "metric": _metric_name(records.task),
        "clean": values["clean"],
        "mean": values[MEAN],
        "categories": {name: values[name] for name in _groups(results) if name != MEAN},
        "corruptions": rows,
    }


def _groups(results: Sequence[CorruptedErrors]) -> dict[str, np.ndarray]:
    """Return the errors (evaluations, n) of the mean, of each category and of what is extra."""
    common = [r for r in results if not r.corruption.is_extra] or list(results)
    members: dict[str, list[np.ndarray]] = {MEAN: [r.errors for r in common]}
    for r in common:
        members.setdefault(r.corruption.category, []).append(r.errors)
    if len(common) < len(results):
        members[EXTRA] = [r.errors for r in results if r.corruption.is_extra]
    return {name: np.concatenate(errors) for name, errors in members.items()}


def _metric(errors: np.ndarray, records: Records) -> Metric:
    """Define the mean of errors (evaluations, n) as a metric: of one evaluation a proportion."""
    mean = errors.mean(axis=0)
    if records.task.regression:
        everywhere = np.ones(len(records), bool)
        evidence = Evidence(everywhere, everywhere, len(records))
        return Metric(partial(_mean, mean), lambda r: evidence, highest=float("inf"), higher_is_better=False)
    evidence = Evidence(mean < 1, mean > 0, len(records))
    return Metric(partial(_mean, 1 - mean), lambda r: evidence, is_proportion=len(errors) == 1)


def _mean(values: np.ndarray, sample: WeightedRecords) -> np.ndarray:
    return sample.mean(values)


def requirement_names(members: Iterable[Corruption], task: Task) -> list[str]:
    """Return what `--require` may name of corruptions: their mean, the mean of a category, and each."""
    members, metric = list(members), _metric_name(task)
    names = [f"{name}." for corruption in members for name in (corruption.category, corruption.name)]
    names += [f"{EXTRA}."] if any(corruption.is_extra for corruption in members) else []
    return with_ends(f"corruptions.{name}{metric}" for name in dict.fromkeys(["", *names])) if members else []


def required_values(corruptions: Mapping[str, Any]) -> dict[str, float]:
    """Return the values that `--require` can name."""
    rows = corruptions["categories"] | {row["corruption"]: row for row in corruptions["corruptions"]}
    values = values_with_ends(f"corruptions.{corruptions['metric']}", corruptions["mean"])
    for name, row in rows.items():
        values |= values_with_ends(f"corruptions.{name}.{corruptions['metric']}", row)
    return values


def _metric_name(task: Task) -> str:
    return "mae" if task.regression else "accuracy"


def tables(corruptions: Mapping[str, Any]) -> list[Any]:
    """Build the human-readable tables: by corruption and level, and by category."""
    decimals = 3 if corruptions["metric"] == "accuracy" else 4
    levels = max(len(row["levels"]) for row in corruptions["corruptions"])
    rows = []
    for row in corruptions["corruptions"]:
        cells = [f"{level['value']:.{decimals}f}" for level in row["levels"]]
        name = row["corruption"] + (" *" if row["trained_on"] else "")
        rows.append((name, *cells, *[""] * (levels - len(cells)), console.with_interval(row, decimals)))
    heading = f"{corruptions['metric']}, 95 %"
    by_level = console.table(("corruption", *map(str, range(1, levels + 1)), heading), rows)
    means = {"without": corruptions["clean"], "mean": corruptions["mean"], **corruptions["categories"]}
    by_category = console.table(
        ("corruptions", heading), [(name, console.with_interval(value, decimals)) for name, value in means.items()]
    )
    return [by_level, by_category, *_lines(corruptions)]


def _lines(corruptions: Mapping[str, Any]) -> Iterator[str]:
    trained = {row["corruption"]: row["trained_on"] for row in corruptions["corruptions"] if row["trained_on"]}
    if trained:
        named = "; ".join(f"{name}: {', '.join(ops)}" for name, ops in trained.items())
        yield f"caution: * augment trained on what is similar, so these say little about robustness: {named}"
    yield from (f"note: {note}" for note in corruptions.get("notes", ()))
