"""Open a run for its report: from the records of its evaluation, which is done first where it is missing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.engine.loading.split import DataSplit
from ftaug.engine.system.run_files import COMPLETE_FILE, FOLDS_FILE, MODEL_FILE, fold_folder, read_json, read_rows
from ftaug.engine.system.storage import storage_errors
from ftaug.errors import BadData, ExperimentError, MissingInput
from ftaug.runs import compared_runs, sample_records
from ftaug.runs.compared_runs import RunSettings
from ftaug.runs.corruption_evaluation import choose_corruptions
from ftaug.runs.open_run import load_run_experiment, open_calibrated_run
from ftaug.runs.report import console, evaluation
from ftaug.runs.run_report.headline import GENERAL
from ftaug.runs.run_report.reported_run import ReportedRun
from ftaug.runs.sample_columns import columns_with_facts
from ftaug.runs.trained_model import TrainedModel

RESULT_KEYS = ("checkpoint", "metrics", "intervals")


class _Opened:
    """Opens the model of a run at most once."""

    def __init__(self, folder: Path, trust_plugins: bool) -> None:
        self.folder, self.trust_plugins = folder, trust_plugins

    @cached_property
    def model(self) -> TrainedModel:
        """The model with its calibration."""
        return open_calibrated_run(self.folder, trust_plugins=self.trust_plugins)


def open_reported(folder: Path, split: str | None, *, trust_plugins: bool) -> ReportedRun:
    """Open a complete run with its records of a split, by default of test if there is one, else of validation.

    Raises MissingInput, ExperimentError, BadData.
    """
    settings = compared_runs.read_settings(folder)
    check_complete(settings)
    facts = read_json((fold_folder(folder, 1) if settings.is_folds else folder) / MODEL_FILE) or {}
    name = choose_split(settings, facts, split)
    opened = _Opened(folder, trust_plugins)
    results = _results(settings, name)
    if results is None:
        console.say(f"{folder}: evaluating its {name} samples, which it has no records of")
        write_records(opened.model, name)
        results = _results(settings, name) or {}
    samples = compared_runs.read_records(settings, name)
    in_file = np.argsort(samples.rows)
    ids = samples.ids[in_file].tolist()

    def load_data() -> DataSplit:
        data = opened.model.select_split(name)
        if sample_records.ids_of(data) != ids:
            raise BadData(
                f"the {name} samples have changed since they were evaluated; evaluate them anew: "
                f"{compared_runs.command(settings, f' --split {name}')}"
            )
        return data

    return ReportedRun(
        settings,
        name,
        samples.records.select(in_file),
        [samples.names[row] for row in in_file.tolist()],
        results,
        facts,
        [] if settings.is_folds else read_rows(folder / "metrics.jsonl"),
        lambda: load_run_experiment(folder, trust_plugins=trust_plugins),
        lambda: opened.model,
        load_data,
    )


def check_complete(settings: RunSettings) -> None:
    """Raise MissingInput for a run, or folds, whose training has not ended."""
    folder = settings.folder
    if settings.is_folds:
        if not (read_json(folder / FOLDS_FILE) or {}).get("complete"):
            raise MissingInput(
                f"{folder}: not all of its folds are trained; run the same `ftaug train --folds` command again"
            )
    elif not (folder / COMPLETE_FILE).is_file():
        raise MissingInput(f"{folder}: its training is not complete; continue it: ftaug train {folder}")


def choose_split(settings: RunSettings, facts: Mapping[str, Any], split: str | None) -> str:
    """Return the split to report on; raises ExperimentError if the run has no such data."""
    known = [name for name in ("test", "val", "train") if name in facts.get("data", {})]
    if settings.is_folds:
        known = [name for name in ("test", "val") if name == "val" or name in known]
    if split is None:
        return known[0]
    if split not in known:
        raise ExperimentError(f"--split {split}: {settings.folder} has no such samples, only {', '.join(known)}")
    return split


def _results(settings: RunSettings, split: str) -> dict[str, Any] | None:
    """Read the results of an evaluation; None if there is none of the present checkpoint and calibration."""
    path = settings.folder / "report" / f"evaluate-{settings.file_split(split)}.json"
    results = read_json(path)
    keys = (*RESULT_KEYS, "numbers" if settings.task.regression else "classes")
    if results is None or not settings.has_records(split) or not all(results.get(key) is not None for key in keys):
        return None
    if GENERAL[settings.task.kind] not in results["intervals"]:
        return None
    return None if compared_runs.stale_records(settings, split) else results


def write_records(opened: TrainedModel, split: str) -> None:
    """Evaluate a split as `ftaug evaluate` does, and write its report and records."""
    data = opened.select_split(split)
    columns, corruptions = columns_with_facts(opened, data, ()), choose_corruptions(opened, ())
    measured = opened.compute_metrics(opened.logits(data), data)
    report = evaluation.report(opened, data, measured)
    report |= evaluation.sections(opened, data, measured, {}, corruptions)
    with storage_errors(f"{opened.folder}: the report cannot be written"):
        [*evaluation.write(report, opened, data, measured, columns)]
