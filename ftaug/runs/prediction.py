"""Predict unlabeled samples in batches with a trained model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from ftaug.engine.loading.prepare import evaluation_preprocessing, modality_of
from ftaug.engine.system.cpu_count import usable_cores
from ftaug.errors import BadData, FtaugError
from ftaug.interfaces.data import Input

if TYPE_CHECKING:
    from ftaug.runs.trained_model import TrainedModel


FAILURES_SHOWN = 20


@dataclass(frozen=True)
class Prediction:
    """The prediction for an input, or the error that prevented it."""

    name: str
    output: np.ndarray | None = None  # probabilities, in regression numbers, (classes,)
    logits: np.ndarray | None = None  # uncalibrated
    error: str | None = None


def predict(opened: TrainedModel, inputs: Iterable[Input]) -> Iterator[Prediction]:
    """Predict lazily in batches, also for endless inputs; an unreadable input yields its error."""
    verbs = modality_of(opened.experiment)
    pipeline = verbs.pipeline((), evaluation_preprocessing(opened.experiment, opened.preprocessing))

    def prepared(source: Input) -> np.ndarray | FtaugError:
        try:
            return verbs.prepare(source.read(), pipeline, None)[0]
        except FtaugError as error:
            return error

    waiting = iter(inputs)
    with ThreadPoolExecutor(usable_cores()) as pool:
        while chunk := list(islice(waiting, opened.batch_size)):
            ready = list(pool.map(prepared, chunk))
            good = [sample for sample in ready if not isinstance(sample, FtaugError)]
            logits = opened.predict_batch(verbs.collate(good), len(good)) if good else np.empty((0, 0), np.float32)
            outputs = zip(opened.probabilities(logits) if good else logits, logits, strict=True)
            for source, sample in zip(chunk, ready, strict=True):
                if isinstance(sample, FtaugError):
                    yield Prediction(source.name, error=str(sample))
                else:
                    yield Prediction(source.name, *next(outputs))


@dataclass
class Failures:
    """Count the inputs that could not be read, and keep the first error messages."""

    count: int = 0
    shown: list[str] = field(default_factory=list)

    def see(self, prediction: Prediction) -> None:
        """Count a prediction that failed."""
        if prediction.error is not None:
            self.count += 1
            if self.count <= FAILURES_SHOWN:
                self.shown.append(f"{prediction.name}: {prediction.error}")

    def check(self, done: int) -> None:
        """Raise BadData if any input could not be read."""
        if self.count:
            rest = self.count - len(self.shown)
            more = [f"and {rest:,} more"] if rest else []
            error = BadData(f"{self.count:,} of {done:,} could not be read", *self.shown, *more)
            error.result_printed = True
            raise error
