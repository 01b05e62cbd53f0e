"""Whether an artefact answers as `predict` does: from samples as they are read to probabilities."""

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
"""Of a metric, and of the share of samples that are answered otherwise."""
PROBABILITY_TOLERANCE = 5e-3
"""What a grey level in few pixels may do to a network of small pictures."""
LOGIT_TOLERANCE = 1e-2
"""As a share of the largest logit, or of 1; in regression, of the deviation of the training targets."""
SYNTHETIC = "synthetic"

Artefact = Callable[[SampleBatch], Mapping[str, torch.Tensor]]


@dataclass(frozen=True)
class Allowance:
    """How far an artefact's answers may be from the model's."""

    rounding: float = TOLERANCE  # the largest difference of a probability
    metric_loss: float | None = None  # where answers may differ: how much worse the metric may be


@dataclass(frozen=True)
class Answers:
    """Answers to the same samples."""

    logits: np.ndarray  # (n, classes); in regression the numbers
    probabilities: np.ndarray


@dataclass(frozen=True)
class MetricParity:
    """A metric of the model's answers and of the artefact's."""

    name: str
    original: float
    exported: float
    views: str | None = None  # of `evaluate`, which no artefact has
    with_views: float | None = None
    loss: MetricLoss | None = None  # where answers may differ

    @property
    def holds(self) -> bool:
        """Whether the metric is worse by no more than is allowed."""
        return self.loss is None or self.loss.holds


@dataclass(frozen=True)
class Parity:
    """How an artefact's answers to some samples compare with the model's."""

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
        """Whether the artefact may stand in for the model."""
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
    """An artefact's answers to all that there is to compare it on."""

    parities: list[Parity] = field(default_factory=list)
    without_data: str | None = None  # why there is nothing but synthetic samples

    @property
    def holds(self) -> bool:
        """Whether the artefact may stand in for the model."""
        return all(parity.holds for parity in self.parities)

    def record(self) -> dict[str, Any]:
        """What `parity.json` keeps: the figures on the run's data, or else on synthetic samples, and the latter."""
        synthetic, measured = self.parities[0], self.parities[-1]
        return {
            **asdict(measured),
            "parity": self.holds,
            SYNTHETIC: asdict(synthetic),
            "synthetic_only": self.without_data is not None,  # the reason would name a path of this machine
        }


@dataclass(frozen=True)
class Reference:
    """What artefacts are compared with: the model of a run, its samples and synthetic ones."""

    opened: TrainedModel
    bundle: Bundle
    synthetic: Sequence[Any]
    portion: DataSplit | None
    without_data: str | None = None

    @classmethod
    def of(cls, opened: TrainedModel) -> Reference:
        """The validation samples, else others, where the data are still there."""
        synthetic = modality_of(opened.experiment).synthetic(opened.preprocessing)
        bundle = opened.bundle(opened.prepare(synthetic[:1]))
        try:
            name = next(name for name in ("val", "test", "train") if name in opened.portions)
            return cls(opened, bundle, synthetic, opened.portions[name])
        except FtaugError as error:
            return cls(opened, bundle, synthetic, None, str(error))

    def compare(self, artefact: Artefact, allowance: Allowance = Allowance()) -> Comparison:
        """Compare an artefact on synthetic samples and, where they can be read, on the run's own.

        Raises MissingInput where the metric decides and cannot be measured.
        """
        original, exported = self._answers(artefact, self.synthetic)
        comparison = Comparison([self._parity(SYNTHETIC, original, exported, allowance)], self.without_data)
        if self.portion is None:
            return _with_metric(comparison, allowance)
        try:
            samples = _Samples(self.portion)
            original, exported = self._answers(artefact, samples)
            metric = self._metric(original, exported, self.portion, samples, allowance)
        except FtaugError as error:
            comparison.without_data = str(error)
            return _with_metric(comparison, allowance)
        comparison.parities.append(self._parity(self.portion.purpose, original, exported, allowance, metric))
        return comparison

    def _answers(self, artefact: Artefact, samples: Sequence[Any]) -> tuple[Answers, Answers]:
        """What the model and the artefact say of samples."""
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
                prepared = pool.map(lambda one: verbs.prepare(one, pipeline, None), raw)
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
        self, original: Answers, exported: Answers, portion: DataSplit, samples: Sequence[Any], allowance: Allowance
    ) -> MetricParity:
        best, views = self.opened.experiment.evaluate.best, self.opened.experiment.evaluate.views
        return MetricParity(
            name=best,
            original=self.opened.compute_metrics(original.logits, portion).values[best],
            exported=self.opened.compute_metrics(exported.logits, portion).values[best],
            views=views,
            with_views=self._with_views(portion, samples) if views else None,
            loss=None
            if allowance.metric_loss is None
            else metric_loss(self.opened, portion, original.logits, exported.logits, allowance.metric_loss),
        )

    def _with_views(self, portion: DataSplit, samples: Sequence[Any]) -> float:
        """The metric as `evaluate` has it."""
        seen = evaluated(self.opened.experiment, self.opened.preprocessing)
        with torch.inference_mode():
            logits = [
                over_views(at_least_float32(self.bundle.model(batch.inputs)), len(batch.samples)).numpy()
                for batch in self._batches(samples, seen)
            ]
        return self.opened.compute_metrics(np.concatenate(logits), portion).values[self.opened.experiment.evaluate.best]


def _with_metric(comparison: Comparison, allowance: Allowance) -> Comparison:
    """The comparison on synthetic samples alone, where the metric need not decide."""
    if allowance.metric_loss is not None:
        raise MissingInput(f"only the metric tells whether it can be used: {comparison.without_data}")
    return comparison


@dataclass(frozen=True)
class _Samples(Sequence[Any]):
    """The samples of a portion, read when they are asked for."""

    portion: DataSplit

    def __len__(self) -> int:
        return len(self.portion)

    def __getitem__(self, index: Any) -> Any:
        return self.portion.samples.read(int(self.portion.ids[index]))


def _named(answers: Mapping[str, torch.Tensor], activation: str) -> Answers:
    """An artefact's answers; what it does not give out follows from what it does."""
    found = {name: at_least_float32(tensor).numpy() for name, tensor in answers.items()}
    logits = found.get("values", found.get("logits"))
    assert logits is not None
    return Answers(logits, found.get("probabilities", probabilities(logits, activation)))


def _joined(answers: Sequence[Answers]) -> Answers:
    return Answers(
        np.concatenate([one.logits for one in answers]), np.concatenate([one.probabilities for one in answers])
    )


def _predicted(answers: Answers, task: Task) -> np.ndarray:
    """What is predicted: a class per sample, or whether each class is there."""
    return task.present(answers.probabilities) if task.multi_label else answers.probabilities.argmax(axis=1)
