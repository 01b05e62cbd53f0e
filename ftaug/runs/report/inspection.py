"""Report the data, the stages of the network and their learning rates, as `ftaug inspect` prints them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from ftaug.config.experiment import Experiment
from ftaug.engine.loading.prepare import modality_of
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.loading.split_notes import notes_of
from ftaug.engine.training.parameter_summary import Row
from ftaug.interfaces.model import Backbone, TrainingLength
from ftaug.runs.data_check import Unreadable
from ftaug.runs.report import console


def as_json(
    data: Mapping[str, DataSplit], backbone: Backbone, rows: Sequence[Row], length: TrainingLength, license: str | None
) -> dict[str, Any]:
    """Describe data and network as JSON values."""
    return {
        "data": {purpose: len(split) for purpose, split in data.items()},
        "notes": notes_of(data),
        "classes": list(data["train"].task.classes),
        "preprocessing": dict(backbone.preprocessing),
        "weights": backbone.facts.get("weights"),
        "weights_license": license,
        "weights_stored": backbone.stored() if backbone.stored else None,
        "weights_notes": backbone.facts.get("notes", []),
        "weights_matches": backbone.facts.get("matches"),
        "steps": {"total": length.total_steps, "per_epoch": length.epoch_steps},
        "stages": [dataclasses.asdict(row) for row in rows],
        "parameters": sum(row.parameters for row in rows),
        "trainable": sum(row.parameters for row in rows if row.from_step is not None),
    }


def show(
    data: Mapping[str, DataSplit],
    backbone: Backbone,
    experiment: Experiment,
    rows: Sequence[Row],
    length: TrainingLength,
    warnings: Sequence[str],
    license: str | None,
) -> None:
    """Print the human-readable report on stdout."""
    sizes = ", ".join(f"{len(split):,} {purpose}" for purpose, split in data.items())
    task = data["train"].task
    weights = f"{backbone.facts.get('weights')}{_whether_stored(backbone)}"
    facts = [
        ("data", f"{sizes} samples of {len(task.classes)} {'numbers' if task.regression else 'classes'}"),
        *(("note", note) for note in notes_of(data)),
        *(("caution", warning) for warning in warnings),
        ("backbone", f"{experiment.backbone.name}, weights: {weights}"),
        *([("license", f"{license or 'not known'}, of these weights")] if weights != "none" else []),
        *(("weights", note) for note in backbone.facts.get("notes", ())),
        ("input", modality_of(experiment).described(backbone.preprocessing)),
        ("length", f"{length.total_steps:,} steps, {length.epoch_steps:,} an epoch"),
    ]
    console.show(console.key_values(facts), "", stage_table(rows, length), _totals(rows))


def _whether_stored(backbone: Backbone) -> str:
    """Describe whether the pretrained weights are local or will be downloaded."""
    if backbone.stored is None:
        return ""
    return " (on this machine)" if backbone.stored() else " (not on this machine: training downloads them)"


def stage_table(rows: Sequence[Row], length: TrainingLength) -> Table:
    """Build the table of the stages: parameters, learning rates and BatchNorm."""
    cells = []
    for row in rows:
        trainable = row.from_step is not None
        rates = (f"{row.rate_at_start:.3g}", f"{row.rate_at_peak:.3g}") if trainable else ("", "")
        decay = _decay(row) if trainable else ""
        cells.append((row.stage, row.parameters, _start(row.from_step, length), *rates, decay, _norms(row, length)))
    headings = ("stage", "parameters", "trainable", "rate at first", "at its peak", "weight decay", "BatchNorm")
    return console.table(headings, cells)


def _totals(rows: Sequence[Row]) -> str:
    total = sum(row.parameters for row in rows)
    trainable = sum(row.parameters for row in rows if row.from_step is not None)
    at_first = sum(row.parameters for row in rows if row.from_step == 0)
    later = f", {at_first:,} of them from the start" if at_first < trainable else ""
    return f"{total:,} parameters; {trainable:,} trainable ({trainable / total:.1%}){later}"


def _start(step: int | None, length: TrainingLength) -> str:
    if step is None:
        return "frozen"
    return f"from step {step:,} (epoch {step / length.epoch_steps:.3g})" if step else "from the start"


def _decay(row: Row) -> str:
    if row.weight_decay == 0 or row.exempt == row.parameters:
        return "none"
    return f"{row.weight_decay:g}" if row.exempt == 0 else f"{row.weight_decay:g} (not on {row.exempt:,})"


def _norms(row: Row, length: TrainingLength) -> str:
    if row.batch_norms == 0:
        return ""
    if row.batch_norms_learn_from is None:
        return f"{row.batch_norms}, statistics fixed"
    if row.batch_norms_learn_from == 0:
        return f"{row.batch_norms}, statistics follow the data"
    return f"{row.batch_norms}, statistics fixed until step {row.batch_norms_learn_from:,}"


def bad_sample(bad: Unreadable) -> dict[str, str]:
    """Describe an unreadable sample as JSON, its error without the sample's name."""
    return {"split": bad.split, "sample": bad.name, "error": str(bad.error).removeprefix(f"{bad.name}: ")}
