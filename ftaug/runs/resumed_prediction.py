"""Predict inputs for a file, and continue where a killed process stopped."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from itertools import chain, islice
from pathlib import Path
from typing import Any

from ftaug import __version__
from ftaug.config.dump import digest
from ftaug.engine.loading.prepare import evaluation_preprocessing
from ftaug.errors import ExperimentError
from ftaug.interfaces.data import Input
from ftaug.runs.explanation.explained_model import ExplainedModel
from ftaug.runs.penultimate_features import FeatureModel, NoFeatures
from ftaug.runs.prediction import Prediction, predict
from ftaug.runs.prediction_journal import PredictionJournal
from ftaug.runs.report import console
from ftaug.runs.report.progress_bar import SECONDS_BETWEEN_LINES
from ftaug.runs.trained_model import TrainedModel


def feature_model(opened: TrainedModel) -> FeatureModel:
    """Return the model with its output layer; raises ExperimentError for a network without one."""
    try:
        return FeatureModel.of(opened.model, opened.stages, len(opened.task.classes), opened.device.torch)
    except NoFeatures as reason:
        raise _no_features(opened, reason) from None


@contextmanager
def predictions_for(
    opened: TrainedModel, inputs: Iterator[Input], features: FeatureModel | None, output: Path | None
) -> Iterator[Iterator[Prediction]]:
    """Context manager that yields the predictions of inputs in their order.

    Those for a file are stored beside it until the context ends without an error, and the next start with the same
    model and inputs takes them from there. Raises ExperimentError if the network has no features.
    """
    if output is None:
        yield _predicted(opened, inputs, features)
        return
    inputs = chain([*islice(inputs, 1)], inputs)  # fail on wrong names before a file is written
    journal = PredictionJournal(output, _identity(opened, features), opened.batch_size)
    try:
        if opened.ranks.world.is_first:
            done, rest = journal.open(inputs)
            opened.ranks.broadcast(done)
            if done:
                console.say(f"{output}: continues after {done:,} predictions")
            new = _with_progress(_predicted(opened, rest, features), done)
            yield chain(journal.read(done), journal.record(new))
            journal.delete()
        else:
            yield _predicted(opened, islice(inputs, opened.ranks.broadcast(None), None), features)
    finally:
        journal.close()


def _predicted(opened: TrainedModel, inputs: Iterable[Input], features: FeatureModel | None) -> Iterator[Prediction]:
    try:
        yield from predict(opened, inputs, features)
    except NoFeatures as reason:
        raise _no_features(opened, reason) from None


def _no_features(opened: TrainedModel, reason: NoFeatures) -> ExperimentError:
    return ExperimentError(f"--features: the network of {opened.folder} {reason}; leave it out, or use a single fold")


def _identity(opened: TrainedModel, features: FeatureModel | None) -> dict[str, Any]:
    """Return what predictions depend on besides their inputs."""
    return {
        "weights": ExplainedModel.of(opened).digest(),
        "experiment": digest(opened.experiment),
        "preprocessing": evaluation_preprocessing(opened.experiment, opened.preprocessing),
        "calibration": None if opened.calibration is None else opened.calibration.facts,
        "device": [opened.device.torch.type, opened.device.precision],
        "features": features is not None,
        "versions": [__version__, version("torch")],
    }


def _with_progress(predictions: Iterator[Prediction], done: int) -> Iterator[Prediction]:
    """Yield predictions; say on stderr every 30 seconds how many there are, as the number of inputs is not known."""
    reported = time.monotonic()
    for count, prediction in enumerate(predictions, done + 1):
        yield prediction
        if time.monotonic() - reported >= SECONDS_BETWEEN_LINES:
            reported = time.monotonic()
            console.say(f"{count:,} inputs predicted")
