"""Label samples by the mean prediction of trained runs: choose a threshold on validation, and select samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from typing import Any

import numpy as np

from ftaug.engine.loading.prepare import modality_of
from ftaug.engine.loading.sample_keys import sample_keys
from ftaug.engine.system.cpu_count import usable_cores
from ftaug.errors import BadData, ExperimentError
from ftaug.interfaces.data import Input, Task
from ftaug.runs.cross_validation import Ensemble
from ftaug.runs.prediction import Failures, predict
from ftaug.runs.report.progress_bar import ProgressBar
from ftaug.runs.trained_model import TrainedModel
from ftaug.statistics.selective import PrecisionThreshold, threshold_for_precision

LEAST_VALIDATION = 10
"""Number of validation samples from which a threshold can be chosen."""

HELD_OUT = ("val", "test")


class NothingLabeled(BadData):
    """No sample is confident enough to get a pseudo-label."""


@dataclass(frozen=True)
class MeanPredictions:
    """The mean probabilities of several models for inputs, and how many of the models agree."""

    inputs: Sequence[Input]  # those that can be read
    probabilities: np.ndarray  # float64 (n, classes)
    agreement: np.ndarray  # share of the models that predict the class of the mean, (n,)
    failures: Failures

    @property
    def labels(self) -> np.ndarray:
        """The most probable class of each input, int64 (n,)."""
        return np.asarray(self.probabilities.argmax(axis=1))

    @property
    def confidence(self) -> np.ndarray:
        """The probability of that class, (n,)."""
        return np.asarray(self.probabilities.max(axis=1))


@dataclass(frozen=True)
class Selection:
    """The inputs that get a pseudo-label, by row of the predictions, and the numbers of those that do not."""

    rows: np.ndarray  # ascending
    removed: Mapping[str, int] = field(default_factory=dict)  # by reason


def check_runs(runs: Sequence[TrainedModel]) -> Task:
    """Return the task of the runs; raises ExperimentError unless all have the same classes, one a sample."""
    first = runs[0]
    for run in runs:
        if run.task.kind != "single_label":
            raise ExperimentError(f"{run.folder}: pseudo-labels are for tasks with one class a sample")
        if run.task.classes != first.task.classes or run.experiment.modality != first.experiment.modality:
            raise ExperimentError(f"{run.folder}: predicts other classes than {first.folder}; name runs of one task")
    return first.task


def predict_mean(runs: Sequence[TrainedModel], inputs: Sequence[Input]) -> MeanPredictions:
    """Predict inputs by all runs; each run has the same weight, and in a run of folds each fold."""
    models = [(run, model) for run in runs for model in (run.members if isinstance(run, Ensemble) else [run])]
    mean = np.zeros((len(inputs), len(runs[0].task.classes)))
    each, failures = [], Failures()
    with ProgressBar(len(models) * len(inputs), 0, unit="sample") as progress_bar:
        for number, (run, model) in enumerate(models):
            weight = 1 / (len(runs) * (len(run.members) if isinstance(run, Ensemble) else 1))
            classes = np.full(len(inputs), -1)
            for row, prediction in enumerate(predict(model, inputs)):
                if number == 0:
                    failures.see(prediction)
                if prediction.output is not None:
                    mean[row] += weight * prediction.output
                    classes[row] = prediction.output.argmax()
                progress_bar.advance()
                progress_bar.status(str(model.folder))
            each.append(classes)
    readable = np.flatnonzero(np.min(each, axis=0) >= 0)
    agreement = (np.array(each) == mean.argmax(axis=1)).mean(axis=0)
    return MeanPredictions([inputs[row] for row in readable.tolist()], mean[readable], agreement[readable], failures)


def choose_threshold(runs: Sequence[TrainedModel], precision: float) -> PrecisionThreshold:
    """Choose the confidence at which the mean prediction reaches a precision on validation.

    Raises ExperimentError, and NothingLabeled if no confidence reaches it.
    The samples are those that are in the validation split of every run.
    """
    each = [_validation(run) for run in runs]
    common = sorted(set.intersection(*(set(rows) for rows in each)))
    if len(common) < LEAST_VALIDATION:
        raise ExperimentError(
            f"the runs have {len(common)} validation samples in common, and a threshold needs {LEAST_VALIDATION}: give "
            "one by --confidence, or train the runs with the same data.split_seed"
        )
    probabilities = np.mean([[rows[key][0] for key in common] for rows in each], axis=0)
    targets = np.array([each[0][key][1] for key in common])
    threshold = threshold_for_precision(probabilities.max(axis=1), probabilities.argmax(axis=1) == targets, precision)
    if threshold is None:
        raise NothingLabeled(
            f"no confidence reaches a precision of {precision:g} on {len(common)} validation samples; use a lower "
            "--precision, or give a threshold by --confidence"
        )
    return threshold


def _validation(run: TrainedModel) -> dict[str, tuple[np.ndarray, int]]:
    """Predict the validation samples of a run: probabilities and class by key; raises ExperimentError."""
    if "val" not in run.splits:
        raise ExperimentError(f"{run.folder}: has no validation samples to choose a threshold on; use --confidence")
    split = run.splits["val"]
    probabilities, keys = run.probabilities(run.logits(split)), [*sample_keys(split.samples)]
    return {
        keys[sample]: (row, target)
        for sample, row, target in zip(split.ids.tolist(), probabilities, split.targets.tolist(), strict=True)
    }


def content_hashes(run: TrainedModel, readers: Iterable[Callable[[], Any]]) -> list[bytes]:
    """Hash the content of samples: the model input that a run prepares from them. Raises BadData."""
    verbs = modality_of(run.experiment)
    pipeline = verbs.pipeline((), run.preprocessing)

    def content_hash(read: Callable[[], Any]) -> bytes:
        batch = verbs.collate([verbs.prepare(read(), pipeline, None)[0]])
        return blake2b(batch.contiguous().numpy().tobytes(), digest_size=16).digest()

    with ThreadPoolExecutor(usable_cores()) as pool:
        return list(pool.map(content_hash, readers))


def held_out_hashes(runs: Sequence[TrainedModel]) -> dict[str, set[bytes]]:
    """Hash the samples of the validation and test splits of the runs, by split."""
    held_out: dict[str, set[bytes]] = {name: set() for name in HELD_OUT}
    splits = [run.splits[name] for run in runs for name in HELD_OUT if name in run.splits]
    for split in {split.fingerprint: split for split in splits}.values():
        name = "test" if split.purpose == "test" else "val"
        ids = [*split.ids.tolist(), *split.confirmation]
        held_out[name] |= set(content_hashes(runs[0], (partial(split.samples.read, i) for i in ids)))
    return held_out


def select(
    predictions: MeanPredictions, runs: Sequence[TrainedModel], confidence: float, per_class: int | None
) -> Selection:
    """Select the inputs to label: confident ones, that no run was validated or tested on, at most so many a class."""
    rows = np.arange(len(predictions.inputs))
    removed = {}
    held_out = held_out_hashes(runs)
    hashes = content_hashes(runs[0], (source.read for source in predictions.inputs))
    for name in HELD_OUT:
        is_held_out = np.array([hashes[row] in held_out[name] for row in rows], bool)
        removed[name] = int(is_held_out.sum())
        rows = rows[~is_held_out]
    confident = predictions.confidence[rows] >= confidence
    removed["confidence"] = int((~confident).sum())
    rows = rows[confident]
    selected = rows if per_class is None else _most_confident(predictions, rows, per_class)
    removed["cap"] = len(rows) - len(selected)
    return Selection(selected, removed)


def _most_confident(predictions: MeanPredictions, rows: np.ndarray, count: int) -> np.ndarray:
    """Return the rows of the most confident samples of each class, ascending; ties by their order."""
    ordered = rows[np.argsort(-predictions.confidence[rows], kind="stable")]
    labels = predictions.labels[ordered]
    return np.sort(np.concatenate([ordered[labels == code][:count] for code in np.unique(labels)] or [ordered]))
