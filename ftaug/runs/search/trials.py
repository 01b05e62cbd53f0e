"""The trials of a search as its run folders show them: their values, scores and states."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ftaug.runs.study.study_run import Failure, StudyRun

DEFAULT = "default"
"""The name of the unsearched experiment among those to confirm."""

Key = tuple[int, int]
"""The step of the ladder and the seed of a run, both from 0."""


@dataclass(frozen=True)
class Trial:
    """A combination of values with its runs."""

    number: int
    values: Mapping[str, Any]
    runs: Mapping[Key, StudyRun] = field(default_factory=dict)

    def of_step(self, step: int) -> list[StudyRun]:
        """Return the runs of a step, by seed."""
        return [run for (at, _), run in sorted(self.runs.items()) if at == step]

    @property
    def failure(self) -> Failure | None:
        """The failure of one of its runs; None if there is none."""
        return next((run.failure for _, run in sorted(self.runs.items()) if run.failure is not None), None)

    @property
    def last_step(self) -> int:
        """The last step that it has a run of."""
        return max((step for step, _ in self.runs), default=0)

    def score(self, step: int, metric: str, seeds: int) -> float | None:
        """Return the mean of a metric over the seeds of a step; None before all of them are complete."""
        values = [run.metrics[metric] for run in self.of_step(step) if run.metrics is not None]
        return sum(values) / len(values) if len(values) == seeds and not any(map(math.isnan, values)) else None


State = Literal["running", "done", "failed"]


def trials_of(runs: Sequence[StudyRun]) -> list[Trial]:
    """Group the runs of trials, by number."""
    groups: dict[int, dict[Key, StudyRun]] = {}
    for run in runs:
        facts = run.spec.facts
        if "trial" in facts:
            groups.setdefault(facts["trial"], {})[facts["step"], facts["seed"]] = run
    first = {number: next(iter(group.values())) for number, group in groups.items()}
    return [Trial(number, first[number].spec.facts["values"], groups[number]) for number in sorted(groups)]


def confirmations_of(runs: Sequence[StudyRun]) -> dict[str, dict[int, StudyRun]]:
    """Group the runs of the confirmation by candidate and seed; candidates are trial numbers or `default`."""
    groups: dict[str, dict[int, StudyRun]] = {}
    for run in runs:
        facts = run.spec.facts
        if "candidate" in facts:
            groups.setdefault(facts["candidate"], {})[facts["seed"]] = run
    return groups
