"""Runs as sections of a report see them, without a model: made from records of predictions."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from evaluated_runs import Numbered

from ftaug.engine.loading.split import DataSplit
from ftaug.engine.training.evaluate import Measurement
from ftaug.runs.compared_runs import RunSettings
from ftaug.runs.run_report.after_training import quick_results
from ftaug.runs.run_report.reported_run import ReportedRun


class Samples(Numbered):
    """Samples, with the groups of the records."""

    groups = None


def reported(records, folder="run", split="test", rows=(), best="accuracy", is_folds=False, facts=None, **results):
    """A run with these predictions; `results` are added to those of the evaluation."""
    values = {"evaluate.best": f'"{best}"', "name": '"cats"'}
    settings = RunSettings(Path(folder), records.task, values, "0", is_folds)
    data = DataSplit(split, Samples(len(records)), np.arange(len(records)), records.targets, records.task)
    data.samples.groups = records.groups
    measured = Measurement(records.predictions, records.predictions, records.targets, {"loss": 1.0})
    known = {"class_counts": [2, *[1] * (records.classes - 1)], "data": {"train": "abc", "val": "abc", "test": "def"}}
    return ReportedRun(
        settings,
        split,
        records,
        [*data.names()],
        {"checkpoint": "step-0000001", "split": split, **quick_results(settings, measured, data), **results},
        known | (facts or {}),
        rows,
        refuse,
        refuse,
        refuse,
    )


def refuse():
    raise AssertionError("this section needs neither model nor data")


def evaluations(values, name="accuracy", losses=None):
    """Rows of metrics.jsonl with an evaluation an epoch."""
    losses = losses or [1 / (1 + i) for i in range(len(values))]
    rows = []
    for epoch, (value, loss) in enumerate(zip(values, losses, strict=True), 1):
        rows.append({"step": 10 * epoch, "epoch": epoch, "loss": 2 * loss, "lr": 0.1 / epoch, "samples": 10})
        rows.append({"step": 10 * epoch, "epoch": epoch, "val": {"loss": loss, name: value}})
    return rows


def confident(records, share=1.0):
    """The same decisions with this probability of what is decided, and the rest on the other classes."""
    chosen = records.predictions.argmax(axis=1)
    predictions = np.full_like(records.predictions, (1 - share) / (records.classes - 1))
    predictions[np.arange(len(records)), chosen] = share
    return replace(records, predictions=predictions)
