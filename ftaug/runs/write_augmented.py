"""Make augmented copies of the training samples: write them, or compute their digest."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ftaug.config.dump import digest
from ftaug.config.experiment import Experiment
from ftaug.config.registry import nested
from ftaug.config.wording import listed
from ftaug.engine.loading import augmented_copies as engine
from ftaug.engine.loading.augmented_copies import Copies, Copy
from ftaug.engine.loading.batches import Failure, PreparedDataset
from ftaug.engine.loading.prepare import modality_of, prepare_split
from ftaug.engine.loading.split import DataSplit, load_splits
from ftaug.engine.system.ranks import ALONE, Ranks
from ftaug.engine.system.signals import REASONS, StopRequests
from ftaug.errors import BadData, ExperimentError, FtaugError, Interrupted, RankLost, Stopped
from ftaug.runs.augmented_dataset import AugmentedDataset, lock
from ftaug.runs.bad_samples import readable
from ftaug.runs.process_group import require_same_command, require_same_data
from ftaug.runs.report import console
from ftaug.runs.report.progress_bar import ProgressBar

Result = TypeVar("Result")


def compute_digest(
    copies: Copies, numbers: np.ndarray, workers: int, ranks: Ranks = ALONE, start: str | None = None
) -> str:
    """Compute the digest of all copies without writing them."""
    total, count = sha256(), int(numbers.sum())
    chunks = engine.make_chunks(copies, engine.wanted(numbers), workers, ranks, start)
    with ProgressBar(count, 0, unit="copy") as progress_bar:
        for digests in _gathered(chunks, count, ranks, lambda copy: copy.digest):
            total.update("".join(digests).encode())
            progress_bar.advance(len(digests))
            progress_bar.status()
    return total.hexdigest()


def write_copies(
    copies: Copies,
    numbers: np.ndarray,
    workers: int,
    output: Path,
    identity: Mapping[str, Any],
    cells: tuple[str, ...],
    ranks: Ranks = ALONE,
) -> dict[str, Any]:
    """Write the missing copies; return what rank 0 reports. Raises Stopped or Interrupted if a stop is requested."""
    as_table, total = identity["format"] == "table", int(numbers.sum())
    folder = AugmentedDataset.of(output, copies.prepared.split, identity, as_table=as_table, cells=cells)
    with ExitStack() as stack:
        if ranks.world.is_first:
            stack.callback(lock(output).release)
            folder.open(engine.wanted(numbers))
        ranks.wait()
        done = ranks.broadcast(folder.count)
        chunks = engine.make_chunks(copies, islice(engine.wanted(numbers), done, None), workers, ranks)
        with StopRequests() as stop, ProgressBar(total, done, unit="copy") as progress_bar:
            for rows in _gathered(chunks, total - done, ranks, folder.write):
                if ranks.world.is_first:
                    folder.append(rows)
                progress_bar.advance(len(rows))
                progress_bar.status()
                reasons = ranks.vote(REASONS, (stop.reason,))
                if reasons and progress_bar.step < total:
                    raise _stopped(reasons[0], f"{progress_bar.step:,} of {total:,} copies in {output}")
        if ranks.is_first_of_machine:
            os.sync()
        ranks.wait()
        if not ranks.world.is_first:
            return {}
        value = folder.finish()
    counts = [f"{name} {count:,}" for name, count in sorted(folder.labels.items())]
    console.say(f"{total:,} samples{': ' if counts else ''}{listed(counts, 20)}")
    return {"digest": value, "samples": total, "labels": dict(sorted(folder.labels.items()))}


def _stopped(reason: str, progress: str) -> Stopped | Interrupted:
    """Return the error of a stop."""
    text = f"stopped by {reason} with {progress}; the same command continues"
    return Interrupted(text) if reason == "Ctrl-C" else Stopped(text)


def _gathered(
    chunks: Iterator[list[Copy | Failure]], count: int, ranks: Ranks, process: Callable[[Copy], Result]
) -> Iterator[list[Result]]:
    """Process this process's chunks of copies; yield the results of all processes, which JSON can hold, in order.

    At a failure yields what comes before it, as a single process does, and raises it; RankLost on the other processes.
    """
    for _ in range(math.ceil(count / (engine.CHUNK * ranks.size))):
        results, error = [], None
        try:
            for copy in next(chunks, []):
                if isinstance(copy, Failure):
                    raise copy.error
                results.append(process(copy))
        except FtaugError as failure:
            error = failure
        rounds = ranks.gather_values([results, error is not None])
        failed = next((rank for rank, (_, failed) in enumerate(rounds) if failed), None)
        yield [result for results, _ in rounds[: None if failed is None else failed + 1] for result in results]
        if error is not None and failed == ranks.rank:
            raise error
        if failed is not None:
            raise RankLost(f"the process of rank {failed} failed")


def identity_of(
    experiment: Experiment, train: DataSplit, settings: Mapping[str, Any], ranks: Ranks = ALONE
) -> dict[str, Any]:
    """Return what the copies depend on; raises ExperimentError or BadData if it is not the same for all processes."""
    known = digest(experiment)
    require_same_command({"experiment": known, **{name: str(value) for name, value in settings.items()}}, ranks)
    require_same_data({"train": train}, ranks)
    return {"experiment": known, "data": train.fingerprint, "seed": experiment.seed, **settings}


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
        have = "have numbers" if train.task.regression else "have any number of labels"
        raise ExperimentError(f"--per-class balance: needs samples with one label each; these {have}")
    _say_cautions(experiment, train)
    return train


def prepare(experiment: Experiment, train: DataSplit) -> PreparedDataset:
    """Return the training samples as they are augmented; raises ExperimentError if they cannot be written so."""
    preprocessing = experiment.backbone(train.task.classes, experiment.input).preprocessing
    data = prepare_split(experiment, train, experiment.augment, preprocessing)
    with suppress(BadData):  # reported when it is its turn
        data.verbs.augmented(data.read(0, None)[0], data.pipeline, None, ())
    return data


def _check_apart(data: Mapping[str, DataSplit]) -> None:
    """Raise ExperimentError if training samples are also evaluation samples."""
    train = data["train"]
    for purpose, split in data.items():
        same = purpose != "train" and split.samples.fingerprint == train.samples.fingerprint
        if same and np.intersect1d(split.ids, train.ids).size:
            raise ExperimentError(
                f"data.{purpose}: is the data of data.train; copies of evaluation samples must not be "
                f"trained on; name other data, or a split such as {{split: 20%}}"
            )


def _say_cautions(experiment: Experiment, train: DataSplit) -> None:
    """Print cautions on stderr."""
    cautions = modality_of(experiment).label_cautions(experiment.augment, train.task)
    if not experiment.augment:
        cautions.append("augment is empty: all copies of a sample are equal")
    if experiment.mix is not None:
        cautions.append(f"mix: {experiment.mix.name} is not applied: it mixes the samples of a batch, in training only")
    for caution in cautions:
        console.say(f"caution: {caution}")
