"""The report that training ends with, from the predictions of its best evaluation on validation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.config.task_fit import labels_learned
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.system.run_files import MODEL_FILE, path_of, read_json, read_rows
from ftaug.engine.system.run_folder import RunFolder
from ftaug.engine.training import evaluate
from ftaug.engine.training.evaluate import Measurement
from ftaug.engine.training.state import TrainingState
from ftaug.runs import compared_runs
from ftaug.runs.compared_runs import RunSettings
from ftaug.runs.open_run import open_run
from ftaug.runs.report import classification, regression
from ftaug.runs.report.intervals import records_of
from ftaug.runs.run_report import collect
from ftaug.runs.run_report.headline import GENERAL, headline_name
from ftaug.runs.run_report.reported_run import ReportedRun
from ftaug.runs.run_report.write import write
from ftaug.runs.trained_model import TrainedModel
from ftaug.statistics.intervals import Estimate, estimates
from ftaug.statistics.metric_table import Metric, class_metrics, standard_metrics
from ftaug.statistics.records import Records, unweighted

REPORT_FILE = "report.html"
DRAWN = 20_000
"""Number of samples × classes up to which metrics get intervals by bootstrap, which takes a tenth of a second."""


def write_report(state: TrainingState, folder: RunFolder, best: Measurement | None) -> Path | None:
    """Write the report on validation into a complete run folder; return its path.

    `best` is the best evaluation; None: predict again. Without validation samples, or labels that were learned, there
    is no report.
    """
    learned = labels_learned(state.experiment)
    if "val" not in state.splits or not learned:
        return None
    run = reported_training(state, folder, None if best is None else best.logits)
    report = collect.report_of(run, collect.AFTER_TRAINING)
    return write(report, folder.path / "report" / REPORT_FILE)


def reported_training(state: TrainingState, folder: RunFolder, logits: np.ndarray | None) -> ReportedRun:
    """Build the argument of the sections from a training state and its complete run folder."""
    run, complete = folder.path, folder.complete
    assert complete is not None
    settings = compared_runs.read_settings(run)
    split = replace(state.splits["val"], task=settings.task)  # with the thresholds that were tuned

    def load_model() -> TrainedModel:
        return open_run(run, state.device.torch.type, trust_plugins=True)  # this process has imported its plugins

    if logits is None:
        logits = load_model().logits(split)
    predictions = evaluate.probabilities(logits, state.experiment.loss.fact("activation"))
    measured = Measurement(logits, predictions, split.targets, dict(complete["metrics"]))
    checkpoint = path_of(run, complete["best"]).name
    return ReportedRun(
        settings,
        "val",
        records_of(measured, split),
        [*split.names()],
        {"checkpoint": checkpoint, "split": "val", "samples": len(split), **quick_results(settings, measured, split)},
        read_json(run / MODEL_FILE) or {},
        read_rows(run / "metrics.jsonl"),
        lambda: state.experiment,
        load_model,
        lambda: split,
    )


def quick_results(settings: RunSettings, measured: Measurement, split: DataSplit) -> dict[str, Any]:
    """Compute what `ftaug evaluate` reports, but intervals only where they take no bootstrap, or a short one."""
    task, records = settings.task, records_of(measured, split)
    metrics = standard_metrics(task)
    wanted = {name: metrics[name] for name in dict.fromkeys((headline_name(settings), GENERAL[task.kind]))}
    by_class = {} if task.regression else _class_metrics(records)
    estimated = _estimates(records, wanted | {f"{i} {name}": metric for (i, name), metric in by_class.items()})
    common = {"metrics": measured.values, "intervals": {name: estimated[name].as_dict() for name in wanted}}
    if task.regression:
        return {**common, **regression.report(measured, split)}
    classes: list[dict[str, Any]] = [{} for _ in task.classes]
    for index, name in by_class:
        classes[index][name] = estimated[f"{index} {name}"].as_dict()
    return {**common, **classification.report(measured, task, classes)}


def _class_metrics(records: Records) -> dict[tuple[int, str], Metric]:
    return {(i, name): class_metrics(i)[name] for i in range(records.classes) for name in ("precision", "recall")}


def _estimates(records: Records, metrics: Mapping[str, Metric]) -> dict[str, Estimate]:
    """Estimate metrics, those that would take a long bootstrap without an interval."""
    is_small = len(records) * records.classes <= DRAWN
    at_unit = unweighted(records)
    quick = {n: m for n, m in metrics.items() if is_small or (m.is_proportion and records.groups is None)}
    values = {n: float(m.value(at_unit)[0]) for n, m in metrics.items() if n not in quick}
    return estimates(records, quick) | {n: Estimate(v, math.nan, math.nan, "none") for n, v in values.items()}
