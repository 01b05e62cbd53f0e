"""Tables of a search: its trials, and its result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from ftaug.config.search_space import written
from ftaug.runs.report import console
from ftaug.runs.search.plan import SearchPlan
from ftaug.runs.search.search import Outcome, next_command
from ftaug.runs.search.trials import Trial
from ftaug.runs.study.study_folder import is_in_use

SHOWN = 10
"""Trials in the table of a result."""


def show(outcome: Outcome, report: str) -> None:
    """Print the best trials, the confirmation and what to do next."""
    plan, trials = outcome.plan, outcome.trials
    ranked = plan.ranked(trials, len(plan.steps) - 1)
    failed = [trial for trial in trials if trial.failure is not None]
    console.show(table(plan, ranked[:SHOWN]))
    lines = [f"{len(trials)} trials{f', {len(failed)} failed' if failed else ''}: {outcome.folder}"]
    if failed:
        trial = failed[0]
        lines.append(
            f"trial {trial.number} failed with exit code {trial.failure and trial.failure.exit_code}: {_error(trial)}"
        )
    console.show(
        *lines, f"report: {report}", f"best: {outcome.best_file}", f"next: {next_command(outcome)}", verdict(outcome)
    )


def verdict(outcome: Outcome) -> str:
    """Return the last line: whether the best trial is better than the unsearched experiment."""
    if outcome.confirmation is not None:
        return outcome.confirmation.sentence
    return (
        f"trial {outcome.best.number} has the best {outcome.plan.search.metric} on the samples that chose it; whether "
        "it is better than the unsearched experiment was not measured (search.confirm)"
    )


def table(plan: SearchPlan, trials: Sequence[Trial]) -> Table:
    """Build the table of trials: number, metric, and values."""
    search = plan.search
    with_length = len(plan.steps) > 1
    headings = ["trial", search.metric, *(["epochs"] if with_length else []), *(space.key for space in search.spaces)]
    rows: list[list[Any]] = []
    for trial in trials:
        length = [plan.steps[trial.last_step]] if with_length else []
        values = [_shown(trial.values.get(space.key)) for space in search.spaces]
        rows.append([str(trial.number), _result(plan, trial), *length, *values])
    return console.table(headings, rows)


def status_lines(plan: SearchPlan, trials: Sequence[Trial], finished: int) -> list[str]:
    """Return how far a search is."""
    running = sum(is_in_use(run) for trial in trials for run in trial.runs.values())
    failed = [trial for trial in trials if trial.failure is not None]
    lines = [f"{finished} of {plan.total} runs are finished, {running} in training"]
    return lines + [f"trial {trial.number} failed: {_error(trial)}" for trial in failed[:SHOWN]]


def _result(plan: SearchPlan, trial: Trial) -> str:
    """Return the metric of a trial, or its state."""
    if trial.failure is not None:
        return f"exit code {trial.failure.exit_code}"
    score = trial.score(trial.last_step, plan.search.metric, plan.search.settings.seeds)
    return "running" if score is None else f"{score:.4f}"


def _error(trial: Trial) -> str:
    return "" if trial.failure is None else trial.failure.message.partition("\n")[0]


def _shown(value: Any) -> str:
    """Format a value; a component with settings by its name alone."""
    if isinstance(value, dict) and len(value) == 1:
        return f"{next(iter(value))} …"
    return written(value)
