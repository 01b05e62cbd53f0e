"""Evaluation report: metrics of a trained model on a data split, printed and written into the run folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ftaug.components import metrics
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.system.storage import make_inside, replace
from ftaug.engine.training.evaluate import Measurement
from ftaug.interfaces.data import Task
from ftaug.interfaces.modality import Corruptions
from ftaug.runs import sample_records
from ftaug.runs.corruption_evaluation import evaluate_corruptions, trained_on
from ftaug.runs.report import (
    classification,
    confusion_plot,
    console,
    corruption_plot,
    corruptions,
    intervals,
    plots,
    regression,
    slices,
    tta,
)
from ftaug.runs.sample_records import Columns, RecordFormat
from ftaug.runs.trained_model import TrainedModel
from ftaug.statistics.records import Records


def requirement_names(opened: TrainedModel, columns: Iterable[str], chosen: Corruptions) -> list[str]:
    """Return the names that `--require` may use: metrics, also of slices by columns and of the chosen corruptions.

    With the ends of their intervals, such as `accuracy.low`.
    """
    task, configured = opened.task, (metric.name for metric in opened.experiment.evaluate.metrics)
    return [
        *("loss", *configured, *standard_metrics(task), *intervals.requirement_names(task)),
        *slices.requirement_names(columns, task),
        *corruptions.requirement_names(chosen.members, task),
    ]


def required_values(report: dict[str, Any]) -> dict[str, float]:
    """Return the values that `--require` can name."""
    values = intervals.required_values(report)
    for name, section in (("slices", slices), ("corruptions", corruptions)):
        values |= section.required_values(report[name]) if name in report else {}
    return values


def standard_metrics(task: Task) -> dict[str, Callable[..., float]]:
    """Return the metrics that are always reported, by name."""
    if task.regression:
        return {**regression.STANDARD_METRICS}
    k = min(5, len(task.classes))
    metrics_by_name: dict[str, Callable[..., float]] = {"accuracy": metrics.accuracy}
    if k > 1 and not task.multi_label:
        metrics_by_name[f"top_{k}"] = partial(metrics.top_k, k=k)
    for metric in (metrics.precision, metrics.recall, metrics.f1):
        for average in ("macro", "weighted"):
            metrics_by_name[f"{metric.__name__}_{average}"] = partial(metric, average=average)
    return metrics_by_name


def report(opened: TrainedModel, split: DataSplit, measured: Measurement) -> dict[str, Any]:
    """Compute the report of a split: metrics, and per class or target; JSON-serializable but for its arrays."""
    task = opened.task
    arguments = measured.probabilities, measured.targets, task
    standard = {name: metric(*arguments) for name, metric in standard_metrics(task).items()}
    estimates = intervals.report(measured, split)
    if task.regression:
        details = regression.report(measured, split)
    else:
        details = classification.report(measured, task, estimates.classes)
    cautions = getattr(opened.splits, "cautions", [])
    return {
        "run": str(opened.folder),
        "checkpoint": opened.checkpoint.name,
        "split": split.purpose,
        "samples": len(split),
        "precision": opened.device.precision,
        **({} if opened.calibration is None else {"calibration": opened.calibration.facts}),
        **({"left_out": len(split.left_out)} if split.left_out else {}),
        "metrics": {**measured.values, **standard},
        "intervals": estimates.overall,
        **details,
        **({"cautions": cautions} if cautions else {}),
    }


def sections(
    opened: TrainedModel, split: DataSplit, measured: Measurement, columns: Columns, chosen: Corruptions
) -> dict[str, Any]:
    """Compute what is reported on request: slices by columns, corruptions, and the effect of `evaluate.tta`."""
    result: dict[str, Any] = {}
    records = single = intervals.records_of(measured, split)
    views = opened.experiment.evaluate.tta
    if columns:
        result["slices"] = slices.report(records, columns)
    if views is not None:
        logits = opened.logits(split, opened.prepare_single_view)
        single = intervals.records_of(opened.compute_metrics(logits, split), split)
        result["tta"] = tta.report(single, records, views)
    if chosen.members:
        results = list(evaluate_corruptions(opened, split, chosen.members))
        similar = {corruption.name: trained_on(opened, corruption) for corruption in chosen.members}
        clean = sample_records.sample_errors(single)
        off = ["evaluate.tta is off for corruptions, and for the result without"] if views is not None else []
        result["corruptions"] = {
            **corruptions.report(single, clean, results, similar),
            "notes": [*chosen.notes, *off],
        }
    return result


def write(
    report: dict[str, Any],
    opened: TrainedModel,
    split: DataSplit,
    measured: Measurement,
    columns: Columns,
    file_format: RecordFormat = "csv",
) -> Iterator[Path]:
    """Write the report, the records of the samples and the plot into the run folder; yield their paths."""
    folder = opened.folder / "report"
    make_inside(folder)
    summary = folder / f"evaluate-{split.purpose}.json"
    replace(summary, (console.to_json(report) + "\n").encode())
    yield summary
    yield _write_records(opened, split, intervals.records_of(measured, split), columns, file_format)
    if opened.task.regression:
        drawn = folder / f"scatter-{split.purpose}.png"
        yield plots.scatter(measured.targets, measured.logits, opened.task.classes, drawn)
    elif report["confusion"] is not None:
        drawn = folder / f"confusion-{split.purpose}.png"
        yield confusion_plot.confusion(report["confusion"], opened.task.classes, drawn)
    if "corruptions" in report:
        yield corruption_plot.draw(report["corruptions"], folder / f"corruptions-{split.purpose}.png")


def _write_records(
    opened: TrainedModel, split: DataSplit, records: Records, columns: Columns, file_format: RecordFormat
) -> Path:
    """Write the records in a format, and remove earlier ones in the other format."""
    to_bytes = sample_records.to_parquet if file_format == "parquet" else sample_records.to_csv
    path = sample_records.path_of(opened.folder, split.purpose, file_format)
    replace(path, to_bytes(split, records, columns))
    for other in sample_records.FORMATS:
        if other != file_format:
            sample_records.path_of(opened.folder, split.purpose, other).unlink(missing_ok=True)
    return path


def show(report: dict[str, Any], task: Task) -> None:
    """Print the human-readable report."""
    tables: list[Any] = [
        f"{report['samples']:,} {report['split']} samples, {report['checkpoint']} of {report['run']}",
        *_calibration_lines(report),
        intervals.table(report),
    ]
    tables += regression.tables(report) if task.regression else classification.tables(report, task)
    for name, section in (("slices", slices), ("tta", tta), ("corruptions", corruptions)):
        if name in report:
            tables += section.tables(report[name])
    console.show(*tables, *(f"wrote {path}" for path in report["files"]))


def _calibration_lines(report: dict[str, Any]) -> Iterator[str]:
    """Say that probabilities are calibrated, and where the same samples were used for it."""
    facts = report.get("calibration")
    if facts is None:
        return
    how = f"temperature {facts['temperature']:.4g}" if "temperature" in facts else "vector scaling"
    yield f"calibrated by `ftaug calibrate`: {how}; the loss is that of the logits, as in training"
    if report["split"] == "val":
        yield f"caution: {facts['samples']:,} of these samples were used to calibrate; the test split shows the effect"
