"""Write a table of pseudo-labeled samples, which `image_table` and `text_table` read."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftaug.config.strict_json import dumps
from ftaug.config.wording import listed
from ftaug.data.tables.soft_targets import PREFIX
from ftaug.engine.loading.prepare import modality_of
from ftaug.engine.system.storage import replace, storage_errors
from ftaug.errors import ExperimentError
from ftaug.interfaces.data import Input
from ftaug.runs.open_run import open_calibrated_run
from ftaug.runs.prediction import Failures
from ftaug.runs.pseudo_labels import MeanPredictions, NothingLabeled, check_runs, choose_threshold, predict_mean, select
from ftaug.runs.trained_model import TrainedModel
from ftaug.statistics.intervals import wilson

SUFFIX = ".csv"


@dataclass(frozen=True)
class Options:
    """Which samples get a pseudo-label, and of which kind."""

    confidence: float | None = None  # least probability; None: chosen on validation
    precision: float = 0.95  # of the pseudo-labels of validation samples, by which it is chosen
    per_class: int | None = None  # most samples of a class
    soft: bool = False  # whether the probabilities of all classes are written


@dataclass(frozen=True)
class PseudoLabels:
    """A written table, and what was selected for it."""

    summary: Mapping[str, Any]  # JSON value
    dataset: str  # the value of data.pseudo_labels that reads the table
    failures: Failures
    inputs: int


def write_pseudo_labels(
    folders: Sequence[Path], named: Sequence[str], output: Path, options: Options, *, trust_plugins: bool = False
) -> PseudoLabels:
    """Label inputs named as for `ftaug predict` by the mean prediction of runs; raises ExperimentError, BadData."""
    if output.suffix.lower() != SUFFIX:
        raise ExperimentError(f"{output}: must end in {SUFFIX}")
    runs = [open_calibrated_run(folder, trust_plugins=trust_plugins) for folder in folders]
    task = check_runs(runs)
    inputs = list(modality_of(runs[0].experiment).inputs(named, runs[0].experiment.data.train))
    chosen = None if options.confidence is not None else choose_threshold(runs, options.precision)
    confidence = options.confidence if chosen is None else chosen.confidence
    assert confidence is not None
    predictions = predict_mean(runs, inputs)
    selection = select(predictions, runs, confidence, options.per_class)
    if not len(selection.rows):
        raise NothingLabeled(
            f"none of {len(inputs):,} samples gets a pseudo-label: {_removed(selection.removed)}; lower --confidence"
        )
    rows = selection.rows.tolist()
    dataset = _write(runs[0], predictions, rows, output, soft=options.soft)
    counts = Counter(task.classes[code] for code in predictions.labels[rows].tolist())
    summary = {
        "output": str(output),
        "runs": [str(folder) for folder in folders],
        "inputs": len(inputs),
        "samples": len(rows),
        "classes": {name: counts[name] for name in task.classes},
        "confidence": confidence,
        "validation": chosen and {**chosen._asdict(), "interval": wilson(chosen.precision, chosen.samples)},
        "mean_confidence": float(predictions.confidence[rows].mean()),
        "agreement": float(predictions.agreement[rows].mean()),
        "removed": dict(selection.removed),
        "unreadable": predictions.failures.count,
        "dataset": dataset,
    }
    return PseudoLabels(summary, dataset, predictions.failures, len(inputs))


def describe(summary: Mapping[str, Any]) -> list[str]:
    """Describe written pseudo-labels in a few lines."""
    counts = listed([f"{name} {count:,}" for name, count in summary["classes"].items()], 20)
    lines = [
        f"{summary['samples']:,} of {summary['inputs']:,} samples labeled ({counts}); mean confidence "
        f"{summary['mean_confidence']:.3f}, agreement of the models {summary['agreement']:.3f}; not labeled: "
        f"{_removed(summary['removed']) or 'none'}"
    ]
    validation = summary["validation"]
    if validation is not None:
        low, high = validation["interval"]
        lines.append(
            f"confidence of at least {summary['confidence']:.4f}, chosen on validation: {validation['precision']:.1%} "
            f"of {validation['samples']:,} samples with it are right (95 % interval {low:.1%} to {high:.1%})"
        )
    return lines


def _removed(removed: Mapping[str, int]) -> str:
    reasons = {
        "val": "in a validation split",
        "test": "in a test split",
        "confidence": "not confident enough",
        "cap": "above the cap of their class",
    }
    return ", ".join(f"{count:,} {reasons[name]}" for name, count in removed.items() if count)


def _write(run: TrainedModel, predictions: MeanPredictions, rows: Sequence[int], output: Path, *, soft: bool) -> str:
    """Write the table; return the value of data.pseudo_labels that reads it."""
    classes = run.task.classes
    samples, settings = _sample_cells(run, [predictions.inputs[row] for row in rows], output)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    of_classes = [f"{PREFIX}{name}" for name in classes] if soft else []
    writer.writerow([*samples[0], "label", "confidence", "agreement", *of_classes])
    for row, cells in zip(rows, samples, strict=True):
        values = [
            predictions.confidence[row],
            predictions.agreement[row],
            *(predictions.probabilities[row] if soft else ()),
        ]
        writer.writerow([*cells.values(), classes[predictions.labels[row]], *(f"{value:.6g}" for value in values)])
    with storage_errors(f"{output}: cannot be written"):
        output.parent.mkdir(parents=True, exist_ok=True)
        replace(output.absolute(), text.getvalue().encode(errors="surrogateescape"))
    reader = f"{run.experiment.modality}_table"
    settings = {"path": str(output), **settings, **({"soft": True} if soft else {})}
    return f"{{{reader}: {dumps(settings)}}}"


def _sample_cells(
    run: TrainedModel, inputs: Sequence[Input], output: Path
) -> tuple[list[dict[str, str]], dict[str, Any]]:
    """Return the cells of each sample by column, and the settings of the dataset that reads them.

    Files are named relative to the table's folder, or where they are not in it to their common folder.
    """
    cells_of = modality_of(run.experiment).cells
    if columns := list(cells_of(inputs[0].read())):
        cells = [dict(cells_of(source.read())) for source in inputs]
        return cells, {"text": columns} if len(columns) > 1 else {}
    paths = [os.path.abspath(source.name) for source in inputs]  # noqa: PTH100 - resolves no links
    folder = output.absolute().parent
    inside = all(Path(path).is_relative_to(folder) for path in paths)
    root = folder if inside else Path(os.path.commonpath([Path(path).parent for path in paths]))
    relative = [{"path": os.path.relpath(path, root)} for path in paths]
    return relative, {} if inside else {"root": str(root)}
