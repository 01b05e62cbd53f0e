"""Format predictions as table rows and JSON: top-k classes, multi-label labels, or regression targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ftaug.errors import ExperimentError
from ftaug.interfaces.data import Task
from ftaug.runs.prediction import Prediction

FEATURES = "features"

Cell = str | float | np.ndarray
"""A value in a table; of features float32 (values,)."""


class PredictionFormat(Protocol):
    """Formats the prediction for a sample."""

    @property
    def digits(self) -> int:
        """Significant digits of numbers in a file."""

    @property
    def headings(self) -> tuple[str, ...]:
        """Columns of a table of predictions."""

    def cells(self, prediction: Prediction) -> list[Cell]:
        """Values of a row, in the order of the headings."""

    def plain(self, prediction: Prediction) -> dict[str, Any]:
        """JSON value of a prediction."""


@dataclass(frozen=True)
class TopK:
    """The k classes with the highest probabilities, highest first."""

    task: Task
    ranks: int
    digits: int = 6

    @property
    def headings(self) -> tuple[str, ...]:
        """A class and its probability for each rank."""
        if self.ranks == 1:
            return ("class", "probability")
        return tuple(f"{name}_{rank}" for rank in range(1, self.ranks + 1) for name in ("class", "probability"))

    def cells(self, prediction: Prediction) -> list[Cell]:
        """Class, probability, class, probability …"""
        return [value for pair in self._classes(prediction) for value in pair]

    def plain(self, prediction: Prediction) -> dict[str, Any]:
        """The classes with their probabilities."""
        return {"predictions": [{"class": name, "probability": p} for name, p in self._classes(prediction)]}

    def _classes(self, prediction: Prediction) -> list[tuple[str, float]]:
        output = output_of(prediction)
        order = np.argsort(-output, kind="stable")[: self.ranks]
        return [(self.task.classes[i], float(output[i])) for i in order]


@dataclass(frozen=True)
class Labels:
    """The predicted labels of a multi-label task, with all probabilities or the k highest."""

    task: Task
    likeliest: TopK | None = None  # for tables; None: a probability column per label
    digits: int = 6

    @property
    def headings(self) -> tuple[str, ...]:
        """The labels, then a column for each probability."""
        return ("labels", *(self.task.classes if self.likeliest is None else self.likeliest.headings))

    def cells(self, prediction: Prediction) -> list[Cell]:
        """The labels joined with `|`, and the probabilities."""
        beside = (
            [float(p) for p in output_of(prediction)] if self.likeliest is None else self.likeliest.cells(prediction)
        )
        return ["|".join(self._present(prediction)), *beside]

    def plain(self, prediction: Prediction) -> dict[str, Any]:
        """The labels, and classes with their probabilities, highest first."""
        likeliest = self.likeliest or TopK(self.task, len(self.task.classes))
        return {"labels": self._present(prediction), **likeliest.plain(prediction)}

    def _present(self, prediction: Prediction) -> list[str]:
        return [self.task.classes[i] for i in np.flatnonzero(self.task.present(output_of(prediction)))]


@dataclass(frozen=True)
class Numbers:
    """The predicted targets of a regression."""

    task: Task
    digits: int = 15

    @property
    def headings(self) -> tuple[str, ...]:
        """The target names."""
        return self.task.classes

    def cells(self, prediction: Prediction) -> list[Cell]:
        """The numbers in the order of the targets."""
        return [float(value) for value in output_of(prediction)]

    def plain(self, prediction: Prediction) -> dict[str, Any]:
        """The numbers by target name."""
        return {"numbers": dict(zip(self.task.classes, self.cells(prediction), strict=True))}


@dataclass(frozen=True)
class WithFeatures:
    """Predictions with the features of their samples."""

    inner: PredictionFormat

    @property
    def digits(self) -> int:
        """Those of the predictions."""
        return self.inner.digits

    @property
    def headings(self) -> tuple[str, ...]:
        """Those of the predictions, and `features`."""
        return (*self.inner.headings, FEATURES)

    def cells(self, prediction: Prediction) -> list[Cell]:
        """The values of the prediction, and the features."""
        return [*self.inner.cells(prediction), self._features(prediction)]

    def plain(self, prediction: Prediction) -> dict[str, Any]:
        """The prediction, and the features with all digits of float32."""
        values = [float(text) for text in feature_texts(self._features(prediction))]
        return {**self.inner.plain(prediction), FEATURES: values}

    def _features(self, prediction: Prediction) -> np.ndarray:
        assert prediction.features is not None
        return prediction.features


def feature_texts(features: np.ndarray) -> list[str]:
    """Format features with the digits that float32 has."""
    return [f"{value:.9g}" for value in features.tolist()]


def output_of(prediction: Prediction) -> np.ndarray:
    """Return the probabilities, in regression the numbers, of a prediction that did not fail."""
    assert prediction.output is not None
    return prediction.output


def form(task: Task, top_k: int | None) -> PredictionFormat:
    """Choose the format for a task; raises ExperimentError for `--top-k` in regression."""
    if task.multi_label:
        return Labels(task, None if top_k is None else TopK(task, min(top_k, len(task.classes))))
    if not task.regression:
        return TopK(task, min(top_k or 1, len(task.classes)))
    if top_k is not None:
        raise ExperimentError("--top-k: the run predicts numbers, not classes; leave it out")
    return Numbers(task)
