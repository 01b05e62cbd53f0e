"""`ftaug evaluate`: compute metrics of a trained model on the test split, or on validation without one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ftaug.engine.system.storage import storage_errors
from ftaug.runs.open_run import open_run
from ftaug.runs.report import console, evaluation
from ftaug.runs.requirements import Requirement, check, check_names


def run(*, run: Path, split: str | None, as_json: bool, require: Sequence[str], trust_plugins: bool) -> None:
    """Evaluate a model, write the report into the run folder, print it and check the required metrics."""
    requirements = [Requirement.parse(text) for text in require]
    opened = open_run(run, trust_plugins=trust_plugins)
    opened.note_precision()
    check_names(requirements, evaluation.metric_names(opened))
    data = opened.select_split(split)
    measured = opened.compute_metrics(opened.logits(data), data)
    report = evaluation.report(opened, data, measured)
    with storage_errors(f"{run}: the report cannot be written"):
        report["files"] = [str(path) for path in evaluation.write(report, opened, data, measured)]
    if as_json:
        print(console.to_json(report))
    else:
        evaluation.show(report, opened.task)
    check(requirements, report["metrics"])
