"""How samples reach the model: pipelines, the order of an epoch, and batches by size."""

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ftaug.config.experiment import Experiment
from ftaug.engine.loading.batches import EpochSampler, PreparedDataset
from ftaug.engine.loading.class_sampling import Resampling
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.loading.token_budget import TokenBudget
from ftaug.engine.system.device import Device
from ftaug.interfaces.modality import Modality
from ftaug.interfaces.model import TrainingLength

if TYPE_CHECKING:
    pass

MOST_ALIKE = 16
"""Steps among which those alike are batched together, at most: more would hardly pad less."""


def modality_of(experiment: Experiment) -> Modality:
    """The verbs of the experiment's modality."""
    return cast(Modality, import_module(f"ftaug.{experiment.modality}.samples"))


def prepared(
    experiment: Experiment, portion: DataSplit, augment: Any, preprocessing: Mapping[str, Any]
) -> PreparedDataset:
    """A portion's samples with the pipeline that leads them to the model."""
    verbs = modality_of(experiment)
    pipeline = verbs.pipeline(augment, preprocessing)
    sizes = verbs.sizes(portion.samples, portion.ids, pipeline)
    return PreparedDataset(
        portion, experiment.modality, pipeline, experiment.seed, verbs.relabels(pipeline), sizes=sizes
    )


def evaluated(experiment: Experiment, preprocessing: Mapping[str, Any]) -> dict[str, Any]:
    """The preprocessing for evaluation, which may look at several views of a sample."""
    return {**preprocessing, "views": experiment.evaluate.views}


def views_of(experiment: Experiment) -> int:
    """How many views of each sample training compares."""
    return 1 + int(experiment.objective.settings.get("augmented", 0)) if experiment.objective is not None else 1


def compared(data: PreparedDataset, experiment: Experiment, preprocessing: Mapping[str, Any]) -> PreparedDataset:
    """The training samples in as many views as the objective compares."""
    if views_of(experiment) == 1:
        return data
    varying = {op.name for op in experiment.augment if op.fact("varies")}
    plain = modality_of(experiment).pipeline([op for op in experiment.augment if op.name not in varying], preprocessing)
    names = (f"{name}#{use}" if use else name for name in varying for use in range(len(experiment.augment)))
    return replace(data, plain=plain, views=views_of(experiment), varying=frozenset(names))


def epochs_of(
    experiment: Experiment,
    train_size: int,
    sizes: np.ndarray | None = None,
    resampling: Resampling | None = None,
    parting: TokenBudget | None = None,
) -> EpochSampler:
    """How training visits its samples."""
    data = experiment.data
    plain = EpochSampler(experiment.seed, train_size, data.batch_size, experiment.train.accumulate)
    bucket = max(1, min(MOST_ALIKE, plain.steps // 4)) if data.bucket == "auto" else data.bucket
    if experiment.mix is not None:  # its step is mixed first, and then parted
        parting = None
    return replace(plain, sizes=sizes, bucket=bucket, parting=parting, resampling=resampling)


def parting_of(experiment: Experiment, device: Device) -> TokenBudget | None:
    """How batches of unequal samples are parted on a device; by itself not where the samples of a batch meet."""
    apart = experiment.mix is None and experiment.objective is None
    return TokenBudget.on(device.torch.type, experiment.data.batch_tokens, apart=apart)


def resampling_of(experiment: Experiment, train: DataSplit) -> Resampling | None:
    """Which samples an epoch visits, where a sampler says so."""
    sampler = experiment.data.sampler
    return Resampling.by(sampler, experiment.seed, train.targets, train.counts()) if sampler is not None else None


def horizon(experiment: Experiment, train_size: int) -> TrainingLength:
    """How long the run is."""
    steps = epochs_of(experiment, train_size).steps
    return TrainingLength(steps * experiment.train.epochs, steps)


def sizes_of(experiment: Experiment, portion: DataSplit, preprocessing: Mapping[str, Any]) -> np.ndarray | None:
    """How much work each sample is; None where all are alike."""
    verbs = modality_of(experiment)
    return verbs.sizes(portion.samples, portion.ids, verbs.pipeline((), preprocessing))
