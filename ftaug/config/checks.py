"""Consistency checks across settings: each contradiction is an error, as a setting would have no effect."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator

from ftaug.config.experiment import Experiment
from ftaug.config.modalities import WITHOUT_EFFECT
from ftaug.config.problems import PartialProblem, predicate
from ftaug.config.task_fit import misfits, tasks_of
from ftaug.config.yaml_document import Where

Found = Iterator[tuple[Where, PartialProblem]]
Check = Callable[[Experiment], Found]

CHECKS: list[tuple[tuple[Where, ...], Check]] = []
"""Each check with the parts of the experiment that it reads."""


def reads(*parts: str) -> Callable[[Check], Check]:
    """Register a check and the settings it reads; it is skipped if one of them is invalid."""

    def add(check: Check) -> Check:
        CHECKS.append((tuple(tuple(part.split(".")) for part in parts), check))
        return check

    return add


def check(experiment: Experiment, faulty: Iterable[Where] = ()) -> Found:
    """Run all checks whose settings are valid."""
    spoilt = set(faulty)
    around = {where[:end] for where in spoilt for end in range(len(where) + 1)}
    for parts, look in CHECKS:
        within = any(part[:end] in spoilt for part in parts for end in range(len(part) + 1))
        if not within and around.isdisjoint(parts):
            yield from look(experiment)


def _fit_the_task(part: Where, experiment: Experiment) -> Found:
    for misfit in misfits(experiment, tasks_of(experiment)):
        if misfit.where[: len(part)] == part:
            yield misfit.where, PartialProblem(misfit.message, "", "nothing", place=misfit.place)


for _part in ("loss", "objective", "data.sampler", "evaluate.metrics", "evaluate.thresholds", "mix", "distillation"):
    reads("data.train", _part)(functools.partial(_fit_the_task, tuple(_part.split("."))))


@reads("modality", "data", "train", "evaluate", "input")
def _settings_have_an_effect(experiment: Experiment) -> Found:
    for (section, key), why in WITHOUT_EFFECT.get(experiment.modality, {}).items():
        part = getattr(experiment, section)
        default = next(field.default for field in dataclasses.fields(part) if field.name == key)
        if getattr(part, key) != default:
            yield (section, key), predicate(f"has no effect for modality {experiment.modality}: {why}; leave it out")
