"""The reference of exports: the trained model's outputs, from raw samples, which each export is compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch

from ftaug.engine.loading.prepare import evaluation_preprocessing, modality_of
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.system.cpu_count import usable_cores
from ftaug.engine.training.evaluate import at_least_float32, over_views
from ftaug.errors import FtaugError, MissingInput
from ftaug.interfaces.data import Task
from ftaug.interfaces.export import Bundle, SampleBatch
from ftaug.runs.export.metric_loss import metric_loss
from ftaug.runs.export.parity import LOGIT_TOLERANCE, SYNTHETIC, Allowance, Comparison, MetricParity, Parity
from ftaug.runs.trained_model import TrainedModel

Artifact = Callable[[SampleBatch], Mapping[str, torch.Tensor]]


@dataclass(frozen=True)
class Outputs:
    """Outputs for a set of samples."""

    logits: np.ndarray  # (n, classes); in regression the values
    probabilities: np.ndarray


@dataclass(frozen=True)
class Reference:
    """The model of a run and the samples that its exports are compared on; its outputs are computed once."""

    opened: TrainedModel
    bundle: Bundle
    synthetic: Sequence[Any]
    split: DataSplit | None
    without_data: str | None = None
    _computed: dict[str, Outputs] = field(default_factory=dict)  # by the name of the set of samples

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

    def compare(self, artifact: Artifact, allowance: Allowance) -> Comparison:
        """Compare an export on synthetic samples and, if readable, on the run's data.

        Raises MissingInput if a lossy export needs the metric and it cannot be computed.
        """
        original, exported = self._outputs(artifact, SYNTHETIC, self.synthetic)
        comparison = Comparison([self._parity(SYNTHETIC, original, exported, allowance)], self.without_data)
        if self.split is None:
            return _with_metric(comparison, allowance)
        split = self.split.purpose
        try:
            original, exported = self._outputs(artifact, split, _Samples(self.split))
            metric = self._metric(original, exported, self.split, allowance)
        except FtaugError as error:
            comparison.without_data = str(error)
            return _with_metric(comparison, allowance)
        comparison.parities.append(self._parity(split, original, exported, allowance, metric))
        return comparison

    def _outputs(self, artifact: Artifact, name: str, samples: Sequence[Any]) -> tuple[Outputs, Outputs]:
        """Run the export on samples, and the model where no export was compared on them before."""
        is_known = name in self._computed
        original, exported = [], []
        with torch.inference_mode():
            for batch in self._batches(samples, self.opened.preprocessing):
                if not is_known:
                    original.append(self._as_outputs({"logits": self.bundle.model(batch.inputs)}))
                exported.append(self._as_outputs(artifact(batch)))
        if not is_known:
            self._computed[name] = _concatenated(original)
        return self._computed[name], _concatenated(exported)

    def _as_outputs(self, tensors: Mapping[str, torch.Tensor]) -> Outputs:
        """Convert named outputs, computing probabilities from logits if there are none."""
        arrays = {name: at_least_float32(tensor).numpy() for name, tensor in tensors.items()}
        logits = arrays.get("values", arrays.get("logits"))
        assert logits is not None
        probabilities = arrays.get("probabilities")
        return Outputs(logits, self.opened.probabilities(logits) if probabilities is None else probabilities)

    def _batches(self, samples: Sequence[Any], preprocessing: Mapping[str, Any]) -> Iterator[SampleBatch]:
        verbs = modality_of(self.opened.experiment)
        pipeline = verbs.pipeline((), preprocessing)
        size = self.opened.batch_size
        with ThreadPoolExecutor(usable_cores()) as pool:
            for start in range(0, len(samples), size):
                raw = [samples[index] for index in range(start, min(start + size, len(samples)))]
                prepared = pool.map(lambda sample: verbs.prepare(sample, pipeline, None)[0], raw)
                yield SampleBatch(raw, verbs.collate(list(prepared)))

    def _parity(
        self,
        split: str,
        original: Outputs,
        exported: Outputs,
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
        of_probabilities = np.abs(original.probabilities - exported.probabilities)
        return Parity(
            split=split,
            samples=len(same),
            largest_difference=float(differences.max()),
            largest_probability_difference=float(of_probabilities.max()) if scale is None else None,
            allowed_difference=allowed,
            equal_predictions=float(same.reshape(len(same), -1).all(axis=1).mean()),
            metric=metric,
            allowance=allowance,
        )

    def _metric(self, original: Outputs, exported: Outputs, split: DataSplit, allowance: Allowance) -> MetricParity:
        best, views = self.opened.experiment.evaluate.best, self.opened.experiment.evaluate.tta
        return MetricParity(
            name=best,
            original=self.opened.compute_metrics(original.logits, split).values[best],
            exported=self.opened.compute_metrics(exported.logits, split).values[best],
            views=views,
            with_views=self._with_views if views else None,
            loss=None
            if allowance.metric_loss is None
            else metric_loss(self.opened, split, original.logits, exported.logits, allowance.metric_loss),
        )

    @cached_property
    def _with_views(self) -> float:
        """The metric with test-time views, as `evaluate` computes it."""
        assert self.split is not None
        preprocessing = evaluation_preprocessing(self.opened.experiment, self.opened.preprocessing)
        with torch.inference_mode():
            logits = [
                over_views(at_least_float32(self.bundle.model(batch.inputs)), len(batch.samples)).numpy()
                for batch in self._batches(_Samples(self.split), preprocessing)
            ]
        measured = self.opened.compute_metrics(np.concatenate(logits), self.split)
        return measured.values[self.opened.experiment.evaluate.best]


def _with_metric(comparison: Comparison, allowance: Allowance) -> Comparison:
    """Return the comparison on synthetic samples alone; raises MissingInput if the metric is needed."""
    if allowance.metric_loss is not None:
        raise MissingInput(f"only the metric shows whether it can be used: {comparison.without_data}")
    return comparison


@dataclass(frozen=True)
class _Samples(Sequence[Any]):
    """The samples of a data split, read lazily."""

    split: DataSplit

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: Any) -> Any:
        return self.split.samples.read(int(self.split.ids[index]))


def _concatenated(batches: Sequence[Outputs]) -> Outputs:
    return Outputs(
        np.concatenate([batch.logits for batch in batches]), np.concatenate([batch.probabilities for batch in batches])
    )


def _predicted(outputs: Outputs, task: Task) -> np.ndarray:
    """Return the predicted class per sample, in multi-label tasks whether each label is present."""
    return task.present(outputs.probabilities) if task.multi_label else outputs.probabilities.argmax(axis=1)
