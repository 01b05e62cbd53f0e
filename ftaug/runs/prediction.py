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
    """Predict lazily in batches, also for endless inputs; an unreadable input yields its error.

    Of several processes each takes one batch in turn, and yields the predictions of all.
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
            logits = None
            if good:
                batch = opened.predict_batch(verbs.collate(list(good.values())), len(good))
                logits = np.zeros((len(chunk), batch.shape[1]), batch.dtype)
                logits[list(good)] = batch
            failed = [(number, str(sample)) for number, sample in ready.items() if number not in good]
            errors = dict(chain.from_iterable(ranks.gather_values(failed)))
            logits = None if len(errors) == len(chunk) else ranks.merge(logits, len(chunk))
            yield from _predictions(opened, chunk, logits, errors)


def _predictions(
    opened: TrainedModel, chunk: Sequence[Input], logits: np.ndarray | None, errors: Mapping[int, str]
) -> Iterator[Prediction]:
    """Yield the predictions of inputs from their logits; None if all of them have errors, by number."""
    good = [number for number in range(len(chunk)) if number not in errors]
    outputs = {} if logits is None else dict(zip(good, opened.probabilities(logits[good]), strict=True))
    for number, source in enumerate(chunk):
        if logits is None or number in errors:
            yield Prediction(source.name, error=errors[number])
        else:
            yield Prediction(source.name, outputs[number], logits[number])


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
