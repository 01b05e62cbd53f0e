"""Make augmented copies of the training samples: write them, or compute their digest."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.config.experiment import Experiment
from ftaug.config.registry import nested
from ftaug.config.wording import listed
from ftaug.engine.loading import augmented_copies as engine
from ftaug.engine.loading.augmented_copies import Copies
from ftaug.engine.loading.batches import PreparedDataset
from ftaug.engine.loading.prepare import modality_of, prepared
from ftaug.engine.loading.split import DataSplit, load_splits
from ftaug.engine.system.signals import StopRequests
from ftaug.errors import ExperimentError, Interrupted, Stopped
from ftaug.runs.augmented_dataset import AugmentedDataset, lock
from ftaug.runs.bad_samples import readable
from ftaug.runs.report import console
from ftaug.runs.report.progress_bar import ProgressBar


def compute_digest(copies: Copies, numbers: np.ndarray, workers: int, start: str | None = None) -> str:
    """Compute the digest of all copies without writing them."""
    total = sha256()
    with ProgressBar(int(numbers.sum()), 0, unit="copy") as progress_bar:
        for copy in engine.make(copies, engine.wanted(numbers), workers, start):
            total.update(copy.digest.encode())
            progress_bar.advance()
            progress_bar.status()
    return total.hexdigest()


def write_copies(
    copies: Copies,
    numbers: np.ndarray,
    workers: int,
    output: Path,
    identity: Mapping[str, Any],
    cells: tuple[str, ...],
) -> dict[str, Any]:
    """Write the missing copies; raises Stopped or Interrupted if a stop is requested."""
    folder_lock = lock(output)
    try:
        as_table = identity["format"] == "table"
        folder = AugmentedDataset.open(output, copies.prepared.split, identity, as_table=as_table, cells=cells)
        missing = folder.resume(engine.wanted(numbers))
        total = int(numbers.sum())
        with StopRequests() as stop, ProgressBar(total, folder.count, unit="copy") as progress_bar:
            for copy in engine.make(copies, missing, workers):
                folder.add(copy)
                progress_bar.advance()
                progress_bar.status()
                if stop.reason is not None:
                    break
        if folder.count < total:
            text = f"stopped by {stop.reason} with {folder.count:,} of {total:,} copies in {output}"
            text += "; the same command continues"
            raise Interrupted(text) if stop.reason == "Ctrl-C" else Stopped(text)
        value = folder.finish()
    finally:
        folder_lock.release()
    counts = [f"{name} {count:,}" for name, count in sorted(folder.labels.items())]
    console.say(f"{total:,} samples{': ' if counts else ''}{listed(counts, 20)}")
    return {"digest": value, "samples": total, "labels": dict(sorted(folder.labels.items()))}


def cells_of(data: PreparedDataset, *, as_table: bool) -> tuple[str, ...]:
    """Return the table columns that hold the sample itself, none if each has a file; raises ExperimentError."""
    columns = tuple(data.verbs.cells(data.read(0, None)[0]))
    if as_table:
        return columns
    if len(columns) > 1:
        raise ExperimentError(f"--format folder: a sample has several parts ({', '.join(columns)}); use --format table")
    return ()


def check_output(experiment: Experiment, output: Path) -> None:
    """Raise ExperimentError for a folder inside the data: copies would later be read as samples."""
    for _, dataset in nested([experiment.data.train, experiment.data.val, experiment.data.test]):
        for setting in dataset.settings.values():
            if isinstance(setting, Path) and output.resolve().is_relative_to(setting):
                raise ExperimentError(f"--output {output}: lies inside the data, {setting}; choose another")


def training_split(experiment: Experiment, *, balance: bool) -> DataSplit:
    """Load the training samples and print cautions; raises ExperimentError if copies of them are no use."""
    splits = readable(experiment, load_splits(experiment.data, experiment.seed))
    train = splits["train"]
    _check_apart(splits)
    if balance and train.task.kind != "single_label":
        have = "have numbers" if train.task.regression else "have any number of them"
        raise ExperimentError(f"--per-class balance: needs samples with one label each; these {have}")
    _say_cautions(experiment, train)
    return train


def prepare(experiment: Experiment, train: DataSplit) -> PreparedDataset:
    """Return the training samples as they are augmented and prepared for the model."""
    preprocessing = experiment.backbone(train.task.classes, experiment.input).preprocessing
    return prepared(experiment, train, experiment.augment, preprocessing)


def _check_apart(data: Mapping[str, DataSplit]) -> None:
    """Raise ExperimentError if training samples are also evaluation samples."""
    train = data["train"]
    for purpose, split in data.items():
        same = purpose != "train" and split.samples.fingerprint == train.samples.fingerprint
        if same and np.intersect1d(split.ids, train.ids).size:
            raise ExperimentError(
                f"data.{purpose}: is the data of data.train; copies of what a model is measured on must not be "
                f"trained on; name other data, or a split such as {{split: 20%}}"
            )


def _say_cautions(experiment: Experiment, train: DataSplit) -> None:
    """Print cautions on stderr."""
    cautions = modality_of(experiment).label_cautions(experiment.augment, train.task)
    if not experiment.augment:
        cautions.append("augment is empty: the copies of a sample are all alike")
    if experiment.mix is not None:
        cautions.append(f"mix: {experiment.mix.name} is left out: it mixes the samples of a batch, in training only")
    for caution in cautions:
        console.say(f"caution: {caution}")
