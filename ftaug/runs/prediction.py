"""Predict unlabeled samples in batches with a trained model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np

from ftaug.engine.loading.prepare import evaluation_preprocessing, modality_of
from ftaug.engine.system.cpu_count import usable_cores
from ftaug.errors import BadData, FtaugError
from ftaug.interfaces.data import Input

if TYPE_CHECKING:
    from torch import Tensor

    from ftaug.runs.penultimate_features import FeatureModel
    from ftaug.runs.trained_model import TrainedModel


FAILURES_SHOWN = 20


@dataclass(frozen=True)
class Prediction:
    """The prediction for an input, or the error that prevented it."""

    name: str
    output: np.ndarray | None = None  # probabilities, in regression numbers, (classes,)
    logits: np.ndarray | None = None  # uncalibrated
    features: np.ndarray | None = None  # inputs of the output layer, float32 (values,)
    error: str | None = None


def predict(
    opened: TrainedModel, inputs: Iterable[Input], features: FeatureModel | None = None
) -> Iterator[Prediction]:
    """Predict lazily in batches, also for endless inputs; an unreadable input yields its error.

    Of several processes each takes one batch in turn, and yields the predictions of all. With `features` the
    predictions have those of the output layer, averaged over views as logits are; raises NoFeatures.
    """
    verbs, ranks, size = modality_of(opened.experiment), opened.ranks, opened.batch_size
    pipeline = verbs.pipeline((), evaluation_preprocessing(opened.experiment, opened.preprocessing))

    def prepared(source: Input) -> np.ndarray | FtaugError:
        try:
            return verbs.prepare(source.read(), pipeline, None)[0]
        except FtaugError as error:
            return error

    waiting = iter(inputs)
    with ThreadPoolExecutor(usable_cores()) as pool:
        while chunk := list(islice(waiting, size * ranks.size)):
            first = size * ranks.rank
            ready = dict(enumerate(pool.map(prepared, chunk[first : first + size]), first))
            good = {number: sample for number, sample in ready.items() if not isinstance(sample, FtaugError)}
            arrays = _forward(opened, verbs.collate(list(good.values())), len(good), features) if good else None
            failed = [(number, str(sample)) for number, sample in ready.items() if number not in good]
            errors = dict(chain.from_iterable(ranks.gather_values(failed)))
            if len(errors) < len(chunk):
                rows = arrays or ((None,) if features is None else (None, None))
                merged = [ranks.merge(_in_places(values, list(good), len(chunk)), len(chunk)) for values in rows]
            else:
                merged = []
            yield from _predictions(opened, chunk, merged, errors)


def _forward(
    opened: TrainedModel, batch: Tensor, samples: int, features: FeatureModel | None
) -> tuple[np.ndarray, ...]:
    """Return the logits (samples, classes) of a batch, and the features (samples, values) if they are wanted."""
    if features is None:
        return (opened.predict_batch(batch, samples),)
    with features.capturing() as captured:
        logits = opened.predict_batch(batch, samples)
    values = captured(len(batch))
    return logits, values.reshape(samples, -1, values.shape[1]).mean(axis=1)


def _in_places(values: np.ndarray | None, places: Sequence[int], count: int) -> np.ndarray | None:
    """Return rows at their places in an array (count, columns) of zeros; None for None."""
    if values is None:
        return None
    rows = np.zeros((count, values.shape[1]), values.dtype)
    rows[places] = values
    return rows


def _predictions(
    opened: TrainedModel, chunk: Sequence[Input], arrays: Sequence[np.ndarray | None], errors: Mapping[int, str]
) -> Iterator[Prediction]:
    """Yield the predictions of inputs from their logits, and features if any; without arrays all have errors."""
    good = [number for number in range(len(chunk)) if number not in errors]
    logits, features = (*arrays, None, None)[:2]
    outputs = {} if logits is None else dict(zip(good, opened.probabilities(logits[good]), strict=True))
    for number, source in enumerate(chunk):
        if logits is None or number in errors:
            yield Prediction(source.name, error=errors[number])
        else:
            values = None if features is None else features[number]
            yield Prediction(source.name, outputs[number], logits[number], values)


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
