"""The trials of a search, read from the facts of its runs."""

import math
from pathlib import Path

from ftaug.runs.search.trials import confirmations_of, trials_of
from ftaug.runs.study.study_run import Failure, RunSpec, StudyRun


def trained(facts, metrics=None, failure=None):
    return StudyRun(RunSpec("a", (), facts), Path("a"), metrics, failure)


def trial(number, step, seed, **state):
    return trained({"trial": number, "step": step, "seed": seed, "values": {"x": number}}, **state)


def test_runs_are_grouped_by_trial_step_and_seed():
    runs = [
        trial(1, 0, 0, metrics={"f1": 0.5}),
        trial(0, 0, 1, metrics={"f1": 0.75}),
        trial(0, 0, 0, metrics={"f1": 0.25}),
        trial(0, 1, 0),
        trained({"candidate": "default", "seed": 3}),
    ]
    first, second = trials_of(runs)
    assert (first.number, first.values, first.last_step) == (0, {"x": 0}, 1)
    assert first.score(0, "f1", 2) == 0.5
    assert first.score(1, "f1", 2) is None
    assert second.score(0, "f1", 1) == 0.5
    assert second.score(0, "f1", 2) is None  # a seed is missing
    assert confirmations_of(runs) == {"default": {3: runs[-1]}}


def test_an_undefined_metric_is_no_score():
    assert trials_of([trial(0, 0, 0, metrics={"f1": math.nan})])[0].score(0, "f1", 1) is None


def test_a_failure_of_any_seed_is_that_of_the_trial():
    failure = Failure(3, "diverged")
    (only,) = trials_of([trial(0, 0, 0, metrics={"f1": 1.0}), trial(0, 0, 1, failure=failure)])
    assert only.failure == failure
    assert only.score(0, "f1", 2) is None
