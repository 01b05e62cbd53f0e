"""The line that a report begins with: the main metric, and what it is to be compared with."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ftaug.runs.compared_runs import best_metric
from ftaug.runs.run_report.formats import estimate, number, samples
from ftaug.runs.run_report.headline import Headline, chosen_by, headline
from ftaug.runs.run_report.reported_run import ReportedRun


def verdict(run: ReportedRun) -> str:
    """Return `accuracy 0.943 [0.921–0.959] on 359 test samples; majority class 0.11; before training 0.88`."""
    main = headline(run.settings, run.results["intervals"])
    return "; ".join([f"{main.name} {estimate(main.result)} on {_samples(run)}", *_references(run, main)])


def _samples(run: ReportedRun) -> str:
    count = samples(len(run.records), run.split)
    if run.settings.is_folds and run.split == "val":
        return f"{count}, predicted out of fold"
    return f"{count}, which chose the checkpoint" if run.split == "val" else count


def _references(run: ReportedRun, main: Headline) -> Iterator[str]:
    if main.name == "accuracy" and run.task.kind == "single_label":
        share = majority_share(run)
        yield f"majority class {number(share, 2 if share >= 0.1 else 3)}"
    if main.name == "rmse":
        yield f"always the mean {number(float(run.records.targets.std(axis=0).mean()))}"
    if main.result.get("note"):
        yield f"{main.result['note']}, so the interval is rough"
    before = before_training(run)
    if before is not None and main.name == best_metric(run.settings):
        yield f"before training {number(before)}"


def majority_share(run: ReportedRun) -> float:
    """Return the share of the most frequent class of training among the evaluated samples."""
    most_frequent = int(np.argmax(run.facts["class_counts"]))
    return float((run.records.targets == most_frequent).mean())


def before_training(run: ReportedRun) -> float | None:
    """Return `evaluate.best` at step 0, if it was evaluated there and the report is of the same samples."""
    rows = [row for row in run.rows if "val" in row and row["step"] == 0]
    value = rows[0]["val"].get(chosen_by(run.settings)) if rows and run.split == "val" else None
    return None if value is None else float(value)
