"""The report of a search, one HTML page: which settings mattered, all trials, and how the best developed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ftaug.config.search_space import Space, written
from ftaug.engine.system.storage import make_inside
from ftaug.errors import printable
from ftaug.interfaces.document import (
    BarChart,
    Block,
    Code,
    DataTable,
    LineChart,
    Paragraph,
    Picture,
    Report,
    Section,
    Series,
)
from ftaug.runs.report.console import figure
from ftaug.runs.run_report.write import write
from ftaug.runs.search.parallel_plot import Axis, parallel_coordinates
from ftaug.runs.search.plan import SearchPlan
from ftaug.runs.search.search import Outcome, as_json, next_command
from ftaug.runs.search.tables import verdict
from ftaug.runs.search.trials import Trial
from ftaug.statistics.effect_size import epsilon_squared, quantile_groups

REPORT_FILE, PICTURE_FILE = "report.html", "parallel.png"


def write_report(outcome: Outcome) -> Any:
    """Write the report into the folder of the search; return its path."""
    plan, trials = outcome.plan, outcome.trials
    folder = make_inside(outcome.folder / "report")
    picture = parallel_coordinates(axes_of(plan, trials), plan.search.higher_is_better, folder / PICTURE_FILE)
    sections = [
        Section("best", "Best trial", _best(outcome)),
        Section("importance", "Which settings mattered", _importance(plan, trials)),
        Section("trials", "All trials", [_picture(picture.read_bytes(), plan), _table(plan, trials)]),
        Section("history", "History", _history(plan, trials)),
    ]
    title = f"Search: {plan.search.experiment.name}"
    facts = as_json(outcome)
    report = Report(title, f"{verdict(outcome)}.", [], sections, footer=f"ftaug search, {outcome.folder}", facts=facts)
    return write(report, outcome.folder / REPORT_FILE)


def importance(plan: SearchPlan, trials: Sequence[Trial]) -> dict[str, float]:
    """Estimate the share of the variance of the first step's results that each setting explains by itself."""
    scored = [(trial, score) for trial in trials if (score := plan.score(trial, 0)) is not None]
    scores = np.array([score for _, score in scored])
    return {
        space.key: epsilon_squared(_groups(space, [trial.values[space.key] for trial, _ in scored]), scores)
        for space in plan.search.spaces
    }


def _groups(space: Space, values: Sequence[Any]) -> np.ndarray:
    if space.choices is not None:
        return np.array([space.choices.index(value) for value in values])
    return quantile_groups(np.array(values, float))


def axes_of(plan: SearchPlan, trials: Sequence[Trial]) -> list[Axis]:
    """Return the axes of the plot of all trials: the settings, and the metric at last."""
    scored = [(trial, score) for trial in trials if (score := trial_value(plan, trial)) is not None]
    axes = []
    for space in plan.search.spaces:
        values = [trial.values[space.key] for trial, _ in scored]
        if space.choices is not None:
            names = [written(choice) for choice in space.choices]
            axes.append(Axis(space.key, [float(space.choices.index(value)) for value in values], names))
        else:
            axes.append(Axis(space.key, [float(value) for value in values], is_log=space.is_log))
    return [*axes, Axis(plan.search.metric, [score for _, score in scored])]


def trial_value(plan: SearchPlan, trial: Trial) -> float | None:
    """Return the metric of a trial in its last step."""
    return trial.score(trial.last_step, plan.search.metric, plan.search.settings.seeds)


def _best(outcome: Outcome) -> list[Block]:
    search, best = outcome.plan.search, outcome.best
    rows = [[space.key, printable(written(best.values[space.key]))] for space in search.spaces]
    blocks: list[Block] = [DataTable(["setting", "value"], rows), Code(next_command(outcome))]
    if outcome.confirmation is not None:
        d = outcome.confirmation.difference
        seeds, samples = outcome.confirmation.seeds, outcome.confirmation.samples
        text = (
            f"On {samples:,} validation samples that no trial has seen, trial {best.number} has a mean "
            f"{outcome.confirmation.metric} of {d.second:.4f}, trained again with {seeds} seed{'s' * (seeds > 1)}, and "
            f"the unsearched experiment {d.first:.4f}."
        )
        blocks.append(Paragraph(text))
    return blocks


def _importance(plan: SearchPlan, trials: Sequence[Trial]) -> list[Block]:
    shares = sorted(importance(plan, trials).items(), key=lambda item: -item[1])
    text = (
        f"The share of the variance of {plan.search.metric} between trials that a setting explains by itself, "
        "corrected for chance (ε²); numbers are grouped by quantiles. What settings explain only together is not in it."
    )
    rows = [(key, share, f"{share:.0%}") for key, share in shares]
    return [Paragraph(text), BarChart(rows, "Importance of the settings")]


def _picture(content: bytes, plan: SearchPlan) -> Picture:
    return Picture(content, "image/png", f"Each trial as a line through its values, colored by {plan.search.metric}")


def _table(plan: SearchPlan, trials: Sequence[Trial]) -> DataTable:
    headings = ["trial", plan.search.metric, "epochs", *(space.key for space in plan.search.spaces)]
    rows = []
    for trial in trials:
        value = trial_value(plan, trial)
        failure = trial.failure
        shown = figure(value) if failure is None else f"exit code {failure.exit_code}"
        values = [printable(written(trial.values[space.key])) for space in plan.search.spaces]
        rows.append([str(trial.number), shown, str(plan.steps[trial.last_step]), *values])
    return DataTable(headings, rows)


def _history(plan: SearchPlan, trials: Sequence[Trial]) -> list[Block]:
    """Return the results of the first step by trial, with the best so far."""
    scored = [(trial.number, score) for trial in trials if (score := plan.score(trial, 0)) is not None]
    sign = 1.0 if plan.search.higher_is_better else -1.0
    numbers = [float(number) for number, _ in scored]
    scores = [score for _, score in scored]
    best = np.maximum.accumulate(scores) if scores else np.zeros(0)
    series = [
        Series("trial", numbers, [sign * score for score in scores], style="points"),
        Series("best so far", numbers, (sign * best).tolist()),
    ]
    return [LineChart(series, "trial", plan.search.metric, f"{plan.search.metric} of the trials in their order")]
