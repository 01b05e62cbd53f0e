"""Fit the calibration of a run on one half of its validation samples, and measure it on the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from ftaug.engine.loading.sample_keys import identities, sample_keys
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.system.run_files import fold_folder
from ftaug.engine.training import evaluate
from ftaug.errors import BadData, ExperimentError
from ftaug.interfaces.data import Task
from ftaug.runs.calibration_file import CALIBRATION_FILE, Calibration, manifest_hash
from ftaug.runs.cross_validation import Ensemble
from ftaug.runs.trained_model import TrainedModel
from ftaug.statistics.calibration import (
    PER_CLASS,
    ReliabilityBin,
    Scaling,
    fit_half,
    fit_temperature,
    fit_vector,
    reliability,
    samples_per_class,
)
from ftaug.statistics.comparison import Difference, compare
from ftaug.statistics.conformal import Band, Score, coverage_band, target_scores
from ftaug.statistics.intervals import FEW, Estimate, estimates, wilson
from ftaug.statistics.metric_table import standard_metrics
from ftaug.statistics.records import Records
from ftaug.statistics.selective import RiskCoverage, prediction_confidence, risk_coverage, threshold_for_coverage

Method = Literal["auto", "temperature", "vector"]
METRICS = ("nll", "ece", "ece_adaptive", "ece_debiased", "brier", "accuracy")
COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5)
SET_COVERAGES = (0.8, 0.9, 0.95)
UNCHANGED = Scaling((1.0,), (0.0,))
GROUPS_NOTE = (
    "samples of a group depend on each other: the coverage of sets and the risk vary more than their bands and "
    "intervals say, which hold for independent samples"
)


class SelectiveRow(NamedTuple):
    """Errors of the most confident predictions of the held-out half."""

    coverage: float
    threshold: float  # least confidence
    answered: int
    errors: int
    low: float  # ends of Wilson's interval of the share of errors
    high: float


class SetRow(NamedTuple):
    """Prediction sets on the held-out half."""

    coverage: float  # asked for
    band: Band  # of the true coverage, over calibrations
    measured: float  # share of the samples whose set holds the true class
    low: float  # ends of Wilson's interval of that share
    high: float
    mean_size: float
    empty: float  # share of empty sets


@dataclass(frozen=True)
class Halves:
    """Logits and targets of validation, in two halves of which no group of samples is in both."""

    logits: np.ndarray
    records: Records  # uncalibrated
    fitted: np.ndarray  # bool (n,): the half that the calibration is fitted on

    @property
    def fit(self) -> Records:
        """The records of the half that the calibration is fitted on."""
        return self.records.select(self.fitted)


@dataclass(frozen=True)
class CalibrationReport:
    """A calibration, and its effect on the held-out half."""

    calibration: Calibration
    held_out: int
    before: dict[str, Estimate]
    after: dict[str, Estimate]
    differences: dict[str, Difference]
    diagrams: tuple[list[ReliabilityBin], list[ReliabilityBin]]  # before, after
    curves: tuple[RiskCoverage, RiskCoverage]
    selective: list[SelectiveRow]
    sets: list[SetRow]
    notes: list[str]


def check_task(opened: TrainedModel) -> None:
    """Raise ExperimentError if a run has no probabilities to calibrate, or no validation samples to do it on."""
    if isinstance(opened, Ensemble):
        raise ExperimentError(
            f"{opened.folder}: the models of the folds cannot be calibrated together, since each validation sample was "
            f"trained on by all but one; calibrate a single one: ftaug calibrate {fold_folder(opened.folder, 1)}"
        )
    if opened.task.regression:
        raise ExperimentError(
            f"{opened.folder}: predicts numbers, and only probabilities of classes can be calibrated; "
            "`ftaug evaluate` reports its errors"
        )
    if "val" not in opened.splits:
        raise ExperimentError(
            f"{opened.folder}: has no validation samples to calibrate on; "
            "train it again with data.val, such as data.val.split=20%"
        )


def split_halves(opened: TrainedModel, split: DataSplit) -> Halves:
    """Predict the validation samples, and divide them by a hash of each sample or group; raises BadData."""
    groups = split.samples.groups
    keys = identities(sample_keys(split.samples), groups)[split.ids]
    fitted = fit_half([f"{key:016x}" for key in keys.tolist()])
    smaller = int(min(fitted.sum(), (~fitted).sum()))
    if smaller < FEW:
        raise BadData(
            f"{opened.folder}: calibration takes {FEW} validation samples to fit and {FEW} to report; there are "
            f"{len(split):,}{' in groups' * (groups is not None)}, and the smaller half has {smaller}; enlarge data.val"
        )
    logits = opened.logits(split)
    if not np.isfinite(logits).all():
        raise BadData(
            f"{opened.folder}: some predictions of validation samples are not finite numbers; train again with a lower "
            "lr.peak or a clip_norm"
        )
    probabilities = evaluate.probabilities(logits, opened.activation)
    records = Records(split.task, probabilities, split.targets, None if groups is None else groups[split.ids])
    return Halves(logits, records, fitted)


def calibrate(
    opened: TrainedModel, *, method: Method = "auto", score: Score = "lac", by_class: bool = False
) -> CalibrationReport:
    """Calibrate a run that was opened without a calibration; raises ExperimentError, BadData."""
    check_task(opened)
    if opened.task.multi_label and (by_class or score != "lac"):
        raise ExperimentError("--score, --by-class: are for prediction sets of tasks with one class a sample")
    halves = split_halves(opened, opened.splits["val"])
    scaling, notes = fit_scaling(halves, opened.activation, method)
    fit = halves.fit
    calibration = Calibration(
        opened.checkpoint.name,
        manifest_hash(opened.checkpoint),
        scaling,
        len(fit),
        np.empty(0),
        None
        if opened.task.multi_label
        else target_scores(fit.predictions, fit.targets, score=score, by_class=by_class),
    )
    return measure(calibration, halves, opened.activation, notes)


def measure(calibration: Calibration, halves: Halves, activation: str, notes: list[str]) -> CalibrationReport:
    """Measure a calibration on the held-out half, and add the confidences there to it."""
    before = halves.records.select(~halves.fitted)
    after = replace(
        before,
        task=calibration.calibrated_task(before.task),
        predictions=calibration.probabilities(halves.logits[~halves.fitted], activation),
    )
    confidence = prediction_confidence(after.predictions, after.task)
    metrics = {name: standard_metrics(before.task)[name] for name in METRICS}
    confidence_before = prediction_confidence(before.predictions, before.task)
    differences = compare([before], [after], metrics)
    if not notes and differences["nll"].better() != "second":
        notes = [f"no lower NLL is shown on the held-out samples; delete {CALIBRATION_FILE} to predict as before"]
    return CalibrationReport(
        replace(calibration, confidences=np.sort(confidence)),
        len(after),
        estimates(before, metrics),
        estimates(after, metrics),
        differences,
        (reliability(before), reliability(after)),
        (
            risk_coverage(confidence_before, (~before.correct).astype(float)),
            risk_coverage(confidence, (~after.correct).astype(float)),
        ),
        selective_rows(after, confidence),
        set_rows(calibration, before),
        [*notes, *([] if before.groups is None else [GROUPS_NOTE])],
    )


def fit_scaling(halves: Halves, activation: str, method: Method) -> tuple[Scaling, list[str]]:
    """Fit a temperature, or with enough samples a scale and a bias of each class; return notes on the choice too.

    The sigmoid of one class a sample is calibrated as the binary decisions that it is.
    """
    fit, logits = halves.fit, halves.logits[halves.fitted]
    task, targets = fit.task, fit.targets
    if activation == "sigmoid" and not task.multi_label:
        task, targets = Task(task.classes, multi_label=True), fit.positive.astype(np.uint8)
    if method == "vector" or (method == "auto" and (samples_per_class(targets, task) >= PER_CLASS).all()):
        scaling = fit_vector(logits, targets, task)
        if all(scale > 0 for scale in scaling.scale) and not _all_right(scaling.logits(logits), targets, task):
            return scaling, []
        if method == "vector":
            raise BadData(
                "vector scaling: the samples do not determine the scale of every class; use --method temperature"
            )
    if _all_right(logits, targets, task):
        return UNCHANGED, [
            f"all {len(fit):,} samples to fit a temperature on are predicted right, which determines none: "
            "the probabilities stay as they are; enlarge data.val"
        ]
    return fit_temperature(logits, targets, task), []


def _all_right(logits: np.ndarray, targets: np.ndarray, task: Task) -> bool:
    """Whether larger logits are always better, so that their scale has no limit."""
    if task.multi_label:
        return bool(((logits > 0) == (targets > 0)).all())
    return bool((logits.argmax(axis=1) == targets).all())


def selective_rows(
    records: Records, confidence: np.ndarray, coverages: Sequence[float] = COVERAGES
) -> list[SelectiveRow]:
    """Count the errors among the most confident predictions, at several coverages."""
    rows = []
    for coverage in coverages:
        threshold = threshold_for_coverage(confidence, coverage)
        answered = confidence >= threshold
        errors, count = int((answered & ~records.correct).sum()), int(answered.sum())
        rows.append(SelectiveRow(coverage, threshold, count, errors, *wilson(errors / count, count)))
    return rows


def set_rows(calibration: Calibration, records: Records, coverages: Sequence[float] = SET_COVERAGES) -> list[SetRow]:
    """Measure prediction sets on uncalibrated records that their scores do not come from."""
    scores = calibration.set_scores
    if scores is None:
        return []
    rows = []
    for coverage in coverages:
        members = scores.sets(coverage).contains(records.predictions)
        hits = np.take_along_axis(members, records.targets[:, None], axis=1)[:, 0]
        share, sizes = float(hits.mean()), members.sum(axis=1)
        ends = wilson(share, len(records))
        band = coverage_band(min(map(len, scores.values)), coverage)
        rows.append(SetRow(coverage, band, share, *ends, float(sizes.mean()), float((sizes == 0).mean())))
    return rows
