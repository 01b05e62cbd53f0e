"""Parity check of an export: compare its outputs with the model's, from raw samples to probabilities."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch

from ftaug.engine.loading.prepare import evaluated, modality_of
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.system.cpu_count import usable_cores
from ftaug.engine.training.evaluate import at_least_float32, over_views, probabilities
from ftaug.errors import FtaugError, MissingInput
from ftaug.interfaces.data import Task
from ftaug.interfaces.export import Bundle, SampleBatch
from ftaug.runs.export.metric_loss import MetricLoss, metric_loss
from ftaug.runs.trained_model import TrainedModel

TOLERANCE = 1e-3
"""Maximum difference of a metric, and maximum share of samples with a different prediction."""
PROBABILITY_TOLERANCE = 5e-3
"""Maximum difference of a probability: small images react to a gray level in a few pixels."""
LOGIT_TOLERANCE = 1e-2
"""As a share of the largest logit, or of 1; in regression, of the deviation of the training targets."""
SYNTHETIC = "synthetic"

Artefact = Callable[[SampleBatch], Mapping[str, torch.Tensor]]


@dataclass(frozen=True)
class Allowance:
    """Tolerance of an export's outputs."""

    rounding: float = TOLERANCE  # the largest difference of a probability
    metric_loss: float | None = None  # for lossy exports: how much worse the metric may be


@dataclass(frozen=True)
class Answers:
    """Predictions for a set of samples."""

    logits: np.ndarray  # (n, classes); in regression the numbers
    probabilities: np.ndarray


@dataclass(frozen=True)
class MetricParity:
    """A metric of the model and of the export."""

    name: str
    original: float
    exported: float
    views: str | None = None  # test-time views of `evaluate`, which exports do not apply
    with_views: float | None = None
    loss: MetricLoss | None = None  # for lossy exports

    @property
    def holds(self) -> bool:
        """Whether the metric loss is within the tolerance."""
        return self.loss is None or self.loss.holds


@dataclass(frozen=True)
class Parity:
    """Comparison of an export's predictions with the model's on a set of samples."""

    split: str  # or `synthetic`
    samples: int
    largest_difference: float  # of two logits; of two numbers, in deviations of the training targets
    largest_probability_difference: float | None  # None in regression
    allowed_difference: float
    equal_predictions: float  # share of the samples
    metric: MetricParity | None = None
    allowance: Allowance = Allowance()

    @property
    def holds(self) -> bool:
        """Whether the export agrees with the model."""
        if self.allowance.metric_loss is not None:
            return math.isfinite(self.largest_difference) and (self.metric is None or self.metric.holds)
        rounding = self.allowance.rounding
        close = self.largest_difference <= self.allowed_difference  # False for a NaN
        if self.largest_probability_difference is not None:
            close = close and self.largest_probability_difference <= max(PROBABILITY_TOLERANCE, rounding)
        if self.metric is None:
            return close
        same = abs(self.metric.original - self.metric.exported) <= rounding * max(1.0, abs(self.metric.original))
        return close and same and self.equal_predictions >= 1 - rounding


@dataclass
class Comparison:
    """All comparisons of an export: on synthetic samples and on the run's data."""

    parities: list[Parity] = field(default_factory=list)
    without_data: str | None = None  # why only synthetic samples were compared

    @property
    def holds(self) -> bool:
        """Whether the export agrees with the model."""
        return all(parity.holds for parity in self.parities)

    def record(self) -> dict[str, Any]:
        """Return the content of parity.json: the comparison on the run's data, if read, and on synthetic samples."""
        synthetic, measured = self.parities[0], self.parities[-1]
        return {
            **asdict(measured),
            "parity": self.holds,
            SYNTHETIC: asdict(synthetic),
            "synthetic_only": self.without_data is not None,  # the reason would name a path of this machine
        }


@dataclass(frozen=True)
class Reference:
    """The model of a run with samples, as the reference for exports."""

    opened: TrainedModel
    bundle: Bundle
    synthetic: Sequence[Any]
    split: DataSplit | None
    without_data: str | None = None

    @classmethod
    def of(cls, opened: TrainedModel) -> Reference:
        """Build the reference with validation samples, else test or training ones, if the data are available."""
        synthetic = modality_of(opened.experiment).synthetic(opened.preprocessing)
        bundle = opened.bundle(opened.prepare(synthetic[:1]))
        try:
            name = next(name for name in ("val", "test", "train") if name in opened.splits)
            return cls(opened, bundle, synthetic, opened.splits[name])
        except FtaugError as error:
            return cls(opened, bundle, synthetic, None, str(error))

    def compare(self, artefact: Artefact, allowance: Allowance = Allowance()) -> Comparison:
        """Compare an export on synthetic samples and, if readable, on the run's data.

        Raises MissingInput if a lossy export needs the metric and it cannot be computed.
        """
        original, exported = self._answers(artefact, self.synthetic)
        comparison = Comparison([self._parity(SYNTHETIC, original, exported, allowance)], self.without_data)
        if self.split is None:
            return _with_metric(comparison, allowance)
        try:
            samples = _Samples(self.split)
            original, exported = self._answers(artefact, samples)
            metric = self._metric(original, exported, self.split, samples, allowance)
        except FtaugError as error:
            comparison.without_data = str(error)
            return _with_metric(comparison, allowance)
        comparison.parities.append(self._parity(self.split.purpose, original, exported, allowance, metric))
        return comparison

    def _answers(self, artefact: Artefact, samples: Sequence[Any]) -> tuple[Answers, Answers]:
        """Predict samples with the model and with the export."""
        original, exported = [], []
        with torch.inference_mode():
            for batch in self._batches(samples, self.opened.preprocessing):
                logits = at_least_float32(self.bundle.model(batch.inputs)).numpy()
                original.append(Answers(logits, probabilities(logits, self.bundle.activation)))
                exported.append(_named(artefact(batch), self.bundle.activation))
        return _joined(original), _joined(exported)

    def _batches(self, samples: Sequence[Any], preprocessing: Mapping[str, Any]) -> Iterator[SampleBatch]:
        verbs = modality_of(self.opened.experiment)
        pipeline = verbs.pipeline((), preprocessing)
        size = self.opened.batch_size
        with ThreadPoolExecutor(usable_cores()) as pool:
            for start in range(0, len(samples), size):
                raw = [samples[index] for index in range(start, min(start + size, len(samples)))]
                prepared = pool.map(lambda sample: verbs.prepare(sample, pipeline, None), raw)
                yield SampleBatch(raw, verbs.collate(list(prepared)))

    def _parity(
        self,
        split: str,
        original: Answers,
        exported: Answers,
        allowance: Allowance,
        metric: MetricParity | None = None,
    ) -> Parity:
        scale = self.opened.scale
        differences = np.abs(original.logits - exported.logits)
        if scale is None:
            largest = max(1.0, float(np.abs(original.logits).max()))
            allowed = max(LOGIT_TOLERANCE, allowance.rounding) * largest
            same = _predicted(original, self.opened.task) == _predicted(exported, self.opened.task)
        else:
            allowed = LOGIT_TOLERANCE
            differences = differences / np.array(scale.std)
            same = differences <= allowed
        chances = np.abs(original.probabilities - exported.probabilities)
        return Parity(
            split=split,
            samples=len(same),
            largest_difference=float(differences.max()),
            largest_probability_difference=float(chances.max()) if scale is None else None,
            allowed_difference=allowed,
            equal_predictions=float(same.reshape(len(same), -1).all(axis=1).mean()),
            metric=metric,
            allowance=allowance,
        )

    def _metric(
        self, original: Answers, exported: Answers, split: DataSplit, samples: Sequence[Any], allowance: Allowance
    ) -> MetricParity:
        best, views = self.opened.experiment.evaluate.best, self.opened.experiment.evaluate.views
        return MetricParity(
            name=best,
            original=self.opened.compute_metrics(original.logits, split).values[best],
            exported=self.opened.compute_metrics(exported.logits, split).values[best],
            views=views,
            with_views=self._with_views(split, samples) if views else None,
            loss=None
            if allowance.metric_loss is None
            else metric_loss(self.opened, split, original.logits, exported.logits, allowance.metric_loss),
        )

    def _with_views(self, split: DataSplit, samples: Sequence[Any]) -> float:
        """Compute the metric with test-time views, as `evaluate` does."""
        seen = evaluated(self.opened.experiment, self.opened.preprocessing)
        with torch.inference_mode():
            logits = [
                over_views(at_least_float32(self.bundle.model(batch.inputs)), len(batch.samples)).numpy()
                for batch in self._batches(samples, seen)
            ]
        return self.opened.compute_metrics(np.concatenate(logits), split).values[self.opened.experiment.evaluate.best]


def _with_metric(comparison: Comparison, allowance: Allowance) -> Comparison:
    """Return the comparison on synthetic samples alone; raises MissingInput if the metric is needed."""
    if allowance.metric_loss is not None:
        raise MissingInput(f"only the metric tells whether it can be used: {comparison.without_data}")
    return comparison


@dataclass(frozen=True)
class _Samples(Sequence[Any]):
    """The samples of a data split, read lazily."""

    split: DataSplit

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: Any) -> Any:
        return self.split.samples.read(int(self.split.ids[index]))


def _named(answers: Mapping[str, torch.Tensor], activation: str) -> Answers:
    """Convert an export's outputs, computing probabilities from logits if it has none."""
    outputs = {name: at_least_float32(tensor).numpy() for name, tensor in answers.items()}
    logits = outputs.get("values", outputs.get("logits"))
    assert logits is not None
    return Answers(logits, outputs.get("probabilities", probabilities(logits, activation)))


def _joined(answers: Sequence[Answers]) -> Answers:
    return Answers(
        np.concatenate([batch.logits for batch in answers]), np.concatenate([batch.probabilities for batch in answers])
    )


def _predicted(answers: Answers, task: Task) -> np.ndarray:
    """Return the predicted class per sample, in multi-label tasks whether each label is present."""
    return task.present(answers.probabilities) if task.multi_label else answers.probabilities.argmax(axis=1)
