"""How often predictions stay the same under augmentations, before and after training."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ftaug.config.registry import Component, registry
from ftaug.config.schema import component_named
from ftaug.config.severity import at_severity, governed
from ftaug.engine.loading import seeds
from ftaug.engine.loading.prepare import CORRUPTION_SEED, modality_of
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.training.evaluate import at_least_float32
from ftaug.engine.training.state import Model
from ftaug.errors import BadData, FtaugError
from ftaug.runs.explanation.explained_model import ExplainedModel
from ftaug.runs.initial_weights import initial_weights_of
from ftaug.runs.penultimate_features import FeatureModel, NoFeatures
from ftaug.runs.report.progress_bar import ProgressBar
from ftaug.runs.trained_model import TrainedModel
from ftaug.statistics.intervals import wilson

SEVERITIES = (0.25, 0.5, 1.0)

Decide = Callable[[Tensor], np.ndarray]
"""Predict the class of each sample of a collated batch, int (n,), or its labels, bool (n, classes)."""


@dataclass(frozen=True)
class Agreement:
    """How many of some samples are predicted alike with and without an augmentation."""

    after: int
    before: int | None  # with the weights before training; None: they have no predictions
    changed: int  # samples that the augmentation changes at all
    samples: int

    @property
    def share(self) -> float:
        """Share of the samples that are predicted alike after training."""
        return self.after / self.samples

    @property
    def share_before(self) -> float | None:
        """The same before training."""
        return None if self.before is None else self.before / self.samples

    @property
    def facts(self) -> dict[str, Any]:
        """JSON values, with 95 % intervals."""
        values: dict[str, Any] = {"agreement": self.share, "interval": list(wilson(self.share, self.samples))}
        if self.share_before is not None:
            before = list(wilson(self.share_before, self.samples))
            values |= {"agreement_before": self.share_before, "interval_before": before}
        return {**values, "changed": self.changed / self.samples}


@dataclass(frozen=True)
class OpAgreement:
    """The agreement of an augmentation at severities, and as it is set for training."""

    op: str
    by_severity: Mapping[float, Agreement]
    in_training: Agreement | None = None  # with the settings of the experiment, each time it is called


class InvarianceTest:
    """Samples of a split with their predictions, to be compared with those of the augmented samples."""

    def __init__(self, opened: TrainedModel, split: DataSplit, count: int, before: Decide | None) -> None:
        self.opened, self.split = opened, split
        self.modality = modality_of(opened.experiment)
        self.decide = [deciding(opened), *([before] if before is not None else [])]
        self.positions: list[int] = []
        self.raws: list[Any] = []
        self.inputs: list[np.ndarray] = []
        plain = self.modality.corrupting_pipeline((), opened.preprocessing)
        for position in sample_positions(opened, split, count):
            try:
                raw = split.samples.read(int(split.ids[position]))
                self.inputs.append(self.modality.prepare(raw, plain, self._streams(position))[0])
            except BadData:  # evaluation reports it
                continue
            self.positions.append(position)
            self.raws.append(raw)
        self.decisions = [self._decided(decide, self.inputs) for decide in self.decide]

    def __len__(self) -> int:
        return len(self.raws)

    @property
    def accuracies(self) -> list[float]:
        """The accuracy of the trained model, and before training where that is compared, in single-label tasks."""
        if self.split.task.kind != "single_label":
            return []
        targets = self.split.targets[self.positions]
        return [float((decided == targets).mean()) for decided in self.decisions]

    @property
    def chance(self) -> float:
        """Agreement of the predictions for two samples drawn at random."""
        _, counts = np.unique(self.decisions[0], axis=0, return_counts=True)
        return float(((counts / max(len(self), 1)) ** 2).sum())

    def agreement(self, op: Component) -> Agreement:
        """Apply an augmentation to all samples, and compare the predictions; raises what applying it raises."""
        pipeline = self.modality.corrupting_pipeline((op,), self.opened.preprocessing)
        augmented = [
            self.modality.prepare(raw, pipeline, self._streams(position), self.split.labels(position))[0]
            for raw, position in zip(self.raws, self.positions, strict=True)
        ]
        changed = sum(not np.array_equal(a, b) for a, b in zip(augmented, self.inputs, strict=True))
        alike = [
            int((self._decided(decide, augmented) == expected).reshape(len(self), -1).all(axis=1).sum())
            for decide, expected in zip(self.decide, self.decisions, strict=True)
        ]
        return Agreement(alike[0], alike[1] if len(alike) > 1 else None, changed, len(self))

    def _streams(self, position: int) -> Any:
        return seeds.streams(CORRUPTION_SEED, 0, int(self.split.ids[position]))

    def _decided(self, decide: Decide, inputs: Sequence[np.ndarray]) -> np.ndarray:
        size = self.opened.batch_size
        batches = (inputs[start : start + size] for start in range(0, len(inputs), size))
        return np.concatenate([decide(self.modality.collate(batch)) for batch in batches])


def sample_positions(opened: TrainedModel, split: DataSplit, count: int) -> list[int]:
    """Draw samples of a split, always the same ones: their positions, ascending."""
    rng = seeds.generator(opened.experiment.seed, "invariance")
    return [int(place) for place in np.sort(rng.choice(len(split), min(count, len(split)), replace=False))]


def deciding(opened: TrainedModel) -> Decide:
    """Return the decisions of a trained model, in fp32."""
    explained = ExplainedModel.of(opened)

    def decide(batch: Tensor) -> np.ndarray:
        probabilities = opened.probabilities(_logits(explained.model, batch.to(opened.device.torch)))
        return opened.task.present(probabilities) if opened.task.multi_label else probabilities.argmax(axis=1)

    return decide


@torch.inference_mode()
def _logits(model: Model, batch: Tensor) -> np.ndarray:
    return np.asarray(at_least_float32(model(batch)).cpu().numpy())


def deciding_before(opened: TrainedModel, train: DataSplit, count: int) -> Decide | None:
    """Return the decisions with the weights before training; None if they have none, as with several labels.

    A pretrained head decides itself. In place of a new head, which has learned nothing, a sample is of the class whose
    mean is nearest to its features, over `count` training samples or more. Raises what loading the weights raises.
    """
    if opened.task.kind != "single_label" or not opened.stages:
        return None
    initial = initial_weights_of(opened, trust_plugins=True)  # this process has imported its plugins
    model = copy.deepcopy(ExplainedModel.of(opened).model)
    model.network.load_state_dict(initial.weights)
    model.eval()
    device = opened.device.torch
    if initial.own_head:
        return lambda batch: _logits(model, batch.to(device)).argmax(axis=1)
    try:
        features = FeatureModel.of(model, opened.stages, len(opened.task.classes), device)
        return _nearest_mean(opened, features, train, max(count, 2 * len(opened.task.classes)))
    except NoFeatures:
        return None


def _nearest_mean(opened: TrainedModel, features: FeatureModel, train: DataSplit, count: int) -> Decide:
    """Return decisions by the nearest class mean of training samples; raises NoFeatures, BadData."""
    positions = sample_positions(opened, train, count)
    rows = [features.compute(opened.prepare([train.samples.read(int(train.ids[position]))])) for position in positions]
    targets, values = train.targets[positions], np.concatenate(rows).astype(np.float64)
    classes = np.unique(targets)
    means = np.stack([values[targets == code].mean(axis=0) for code in classes])

    def decide(batch: Tensor) -> np.ndarray:
        distances = ((features.compute(batch)[:, None].astype(np.float64) - means) ** 2).sum(axis=2)
        return np.asarray(classes[distances.argmin(axis=1)])

    return decide


def measure(test: InvarianceTest, ops: Sequence[Component]) -> Iterator[OpAgreement]:
    """Yield the agreement of augmentations, without those that fail on these samples; shows the progress on stderr."""
    configured = {op.name: op for op in test.opened.experiment.augment}
    with ProgressBar(len(ops), 0, unit="augmentation") as progress:
        for op in ops:
            with suppress(FtaugError):
                by_severity = {s: test.agreement(at_severity(certain(op), s)) for s in severities(op)}
                chosen = configured.get(op.name)
                yield OpAgreement(op.name, by_severity, test.agreement(certain(chosen)) if chosen is not None else None)
            progress.advance()
            progress.status(op.name)


def severities(op: Component) -> tuple[float, ...]:
    """Return the severities to measure: none if it has none, and 1 alone if they control its probability."""
    settings = governed(op.entry)
    return SEVERITIES if set(settings) - {"probability"} else (1.0,) if settings else ()


def certain(op: Component) -> Component:
    """Return an augmentation that is applied each time."""
    return replace(op, settings={**op.settings, "probability": 1.0}) if "probability" in op.settings else op


def configured_ops(opened: TrainedModel) -> list[Component]:
    """Return the augmentations of a run, each name once, without those that change labels."""
    modality = modality_of(opened.experiment)
    ops = {op.name: op for op in opened.experiment.augment if not _relabels(modality, op, opened)}
    return list(ops.values())


def registered_ops(opened: TrainedModel) -> list[Component]:
    """Return the augmentations of the modality that have a severity and work with their defaults, by name."""
    modality = opened.experiment.modality
    ops = []
    for name in registry("augmentation", modality):
        entry = registry("augmentation", modality)[name]
        required = [p for p in entry.settings().values() if p.default is p.empty]
        needs_files = entry.facts.get("ahead") is not None  # or another model
        if governed(entry) and not required and not needs_files:
            ops.append(component_named("augmentation", name, modality))
    return ops


def _relabels(modality: Any, op: Component, opened: TrainedModel) -> bool:
    return bool(modality.relabels(modality.corrupting_pipeline((op,), opened.preprocessing)))
