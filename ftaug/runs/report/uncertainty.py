"""Add abstentions (`--coverage`) and prediction sets (`--sets`) to predictions, from the calibration of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ftaug.engine.training import evaluate
from ftaug.errors import ExperimentError, MissingInput
from ftaug.interfaces.data import Task
from ftaug.runs.calibration_file import Calibration
from ftaug.runs.prediction import Prediction
from ftaug.runs.report import console
from ftaug.runs.report.predictions import Cell, PredictionFormat, output_of
from ftaug.runs.trained_model import TrainedModel
from ftaug.statistics.conformal import ConformalSets, coverage_band
from ftaug.statistics.selective import prediction_confidence, threshold_for_coverage


@dataclass(frozen=True)
class Selective:
    """Predictions that are confident enough; of the others none, and a column that says so."""

    inner: PredictionFormat
    task: Task
    threshold: float  # least confidence

    @property
    def digits(self) -> int:
        """Those of the predictions."""
        return self.inner.digits

    @property
    def headings(self) -> tuple[str, ...]:
        """Those of the predictions, and `abstained`."""
        return (*self.inner.headings, "abstained")

    def cells(self, prediction: Prediction) -> list[Cell]:
        """The values of the prediction, or empty ones and `yes`."""
        if self._abstains(prediction):
            return [*[""] * len(self.inner.headings), "yes"]
        return [*self.inner.cells(prediction), ""]

    def plain(self, prediction: Prediction) -> dict[str, Any]:
        """The prediction, if it is confident enough, and `abstained`."""
        abstains = self._abstains(prediction)
        return {"abstained": abstains, **({} if abstains else self.inner.plain(prediction))}

    def _abstains(self, prediction: Prediction) -> bool:
        return bool(prediction_confidence(output_of(prediction)[None], self.task)[0] < self.threshold)


@dataclass(frozen=True)
class WithSets:
    """Predictions with the set of classes that holds the true one with a chosen probability."""

    inner: PredictionFormat
    task: Task
    sets: ConformalSets
    uncalibrated: Callable[[np.ndarray], np.ndarray]  # from logits (1, classes) to the probabilities that sets take

    @property
    def digits(self) -> int:
        """Those of the predictions."""
        return self.inner.digits

    @property
    def headings(self) -> tuple[str, ...]:
        """Those of the predictions, and `set`."""
        return (*self.inner.headings, "set")

    def cells(self, prediction: Prediction) -> list[Cell]:
        """The values of the prediction, and the classes of its set joined with `|`, most probable first."""
        return [*self.inner.cells(prediction), "|".join(self._classes(prediction))]

    def plain(self, prediction: Prediction) -> dict[str, Any]:
        """The prediction, and the classes of its set, most probable first."""
        return {**self.inner.plain(prediction), "set": self._classes(prediction)}

    def _classes(self, prediction: Prediction) -> list[str]:
        assert prediction.logits is not None
        probabilities = self.uncalibrated(prediction.logits[None])
        members = self.sets.contains(probabilities)[0]
        return [self.task.classes[i] for i in np.argsort(-probabilities[0], kind="stable") if members[i]]


def add_uncertainty(
    layout: PredictionFormat, opened: TrainedModel, coverage: float | None, sets: float | None
) -> PredictionFormat:
    """Add what `--coverage` and `--sets` ask for to a format, and say on stderr what it rests on.

    Raises MissingInput if the run is not calibrated, ExperimentError for a value out of range.
    """
    if coverage is not None:
        layout = selective(layout, opened, coverage)
    if sets is not None:
        layout = with_sets(layout, opened, sets)
    return layout


def selective(layout: PredictionFormat, opened: TrainedModel, coverage: float) -> Selective:
    """Abstain from predictions that are less confident than the chosen share of held-out validation samples."""
    confidences = _calibration(opened, "--coverage").confidences
    threshold = threshold_for_coverage(confidences, coverage)
    console.say(
        f"{opened.folder}: abstains below a confidence of {threshold:.4f}, which {coverage:g} of {len(confidences):,} "
        "held-out validation samples reach"
    )
    return Selective(layout, opened.task, threshold)


def with_sets(layout: PredictionFormat, opened: TrainedModel, coverage: float) -> WithSets:
    """Add the set of classes that holds the true one with a probability."""
    scores = _calibration(opened, "--sets").set_scores
    if scores is None:
        raise ExperimentError(
            "--sets: is for tasks with one class a sample, which this run does not have; leave it out"
        )
    fitted = scores.sets(coverage)
    fewest = min(map(len, scores.values))
    band = coverage_band(fewest, coverage)
    each = " of each class" if len(scores.values) > 1 else ""
    if band.low == 1:
        text = f"{fewest:,} validation samples{each} are too few for sets of {coverage:g}: they hold all classes"
    else:
        text = (
            f"sets of {coverage:g} were fitted on {fewest:,}{' or more' if each else ''} validation samples{each}: "
            f"they hold the true class of {band.low:.3f} to {band.high:.3f} of new samples (95 % band)"
        )
    console.say(f"{opened.folder}: {text}")
    return WithSets(layout, opened.task, fitted, lambda logits: evaluate.probabilities(logits, opened.activation))


def _calibration(opened: TrainedModel, option: str) -> Calibration:
    if opened.task.regression:
        raise ExperimentError(f"{option}: the run predicts numbers, not classes; leave it out")
    if opened.calibration is None:
        raise MissingInput(
            f"{option}: needs a calibration on validation samples; write it first: ftaug calibrate {opened.folder}"
        )
    return opened.calibration
