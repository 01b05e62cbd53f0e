"""Build datasets, batch samplers and the training length from an experiment."""

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any, cast

import numpy as np

from ftaug.config.experiment import Experiment
from ftaug.config.registry import Component
from ftaug.engine.loading import seeds
from ftaug.engine.loading.batches import CorruptedDataset, EpochSampler, PreparedDataset
from ftaug.engine.loading.class_sampling import Resampling
from ftaug.engine.loading.shard_order import ShardOrder
from ftaug.engine.loading.split import UNLABELED, DataSplit
from ftaug.engine.loading.token_budget import TokenBudget
from ftaug.engine.system.device import Device
from ftaug.interfaces.modality import Modality
from ftaug.interfaces.model import TrainingLength

CORRUPTION_SEED = 0
"""Seed of the corruptions of samples, so that runs of different seeds see the same ones."""
MAX_BUCKET = 16
"""Maximum number of steps in a length bucket; more would hardly reduce padding."""


def modality_of(experiment: Experiment) -> Modality:
    """Import the module with the functions of the experiment's modality."""
    return cast(Modality, import_module(f"ftaug.{experiment.modality}.samples"))


def prepare_split(
    experiment: Experiment, split: DataSplit, augment: Any, preprocessing: Mapping[str, Any]
) -> PreparedDataset:
    """Build the dataset of a split with its pipeline of augmentation and preprocessing."""
    verbs = modality_of(experiment)
    pipeline = verbs.pipeline(augment, preprocessing)
    sizes = verbs.sizes(split.samples, split.ids, pipeline)
    return PreparedDataset(split, experiment.modality, pipeline, experiment.seed, verbs.relabels(pipeline), sizes=sizes)


def corrupt_split(
    experiment: Experiment, split: DataSplit, corruption: Component, preprocessing: Mapping[str, Any]
) -> PreparedDataset:
    """Build the dataset of a split with a corruption of each sample, the same for every run."""
    verbs = modality_of(experiment)
    sizes = verbs.sizes(split.samples, split.ids, verbs.pipeline((), preprocessing))
    pipeline = verbs.corrupting_pipeline((corruption,), preprocessing)
    return CorruptedDataset(split, experiment.modality, pipeline, CORRUPTION_SEED, sizes=sizes)


def evaluation_preprocessing(experiment: Experiment, preprocessing: Mapping[str, Any]) -> dict[str, Any]:
    """Return the preprocessing of evaluation, with its number of views (test-time augmentation)."""
    return {**preprocessing, "views": experiment.evaluate.tta}


def views_of(experiment: Experiment) -> int:
    """Return the number of views of each sample that the training objective compares."""
    objective = experiment.objective
    return 1 if objective is None else int(objective.fact("views")) + int(objective.settings.get("augmented", 0))


def with_views(data: PreparedDataset, experiment: Experiment, preprocessing: Mapping[str, Any]) -> PreparedDataset:
    """Return the training dataset with as many views per sample as the objective compares."""
    objective = experiment.objective
    if objective is not None and objective.fact("unlabeled"):
        weak = _weak_and_strong(data, experiment, preprocessing).plain
        return replace(data, pipeline=weak, relabels=modality_of(experiment).relabels(weak))
    if objective is None or views_of(experiment) == 1:
        return data
    if objective.fact("views") > 1:
        return replace(data, plain=data.pipeline, views=views_of(experiment), varying=None)
    return replace(_weak_and_strong(data, experiment, preprocessing), views=views_of(experiment))


def with_unlabeled(
    data: PreparedDataset, experiment: Experiment, unlabeled: DataSplit, preprocessing: Mapping[str, Any]
) -> PreparedDataset:
    """Return the training dataset with two views of unlabeled samples, weakly and strongly augmented, in its batches.

    Their random streams have a seed of their own, since samples of both have the same ids.
    """
    views = prepare_split(experiment, unlabeled, experiment.augment, preprocessing)
    views = replace(views, seed=seeds.word(f"{experiment.seed}/{UNLABELED}") >> 1, plans=data.plans)
    return replace(data, unlabeled=_weak_and_strong(views, experiment, preprocessing))


def _weak_and_strong(
    data: PreparedDataset, experiment: Experiment, preprocessing: Mapping[str, Any]
) -> PreparedDataset:
    """Return the dataset with two views of a sample: without and with the augmentations that vary between views."""
    varying = {op.name for op in experiment.augment if op.fact("varies")}
    plain = modality_of(experiment).pipeline([op for op in experiment.augment if op.name not in varying], preprocessing)
    names = (f"{name}#{use}" if use else name for name in varying for use in range(len(experiment.augment)))
    return replace(data, plain=plain, views=2, varying=frozenset(names))


def epoch_sampler_of(
    experiment: Experiment,
    train_size: int,
    sizes: np.ndarray | None = None,
    resampling: Resampling | None = None,
    token_budget: TokenBudget | None = None,
    shard_order: ShardOrder | None = None,
) -> EpochSampler:
    """Build the batch sampler of training."""
    data = experiment.data
    plain = EpochSampler(experiment.seed, train_size, data.batch_size, experiment.train.gradient_accumulation)
    bucket = max(1, min(MAX_BUCKET, plain.steps // 4)) if data.bucket == "auto" else data.bucket
    if experiment.mix is not None:  # a step is mixed as a whole first, then split
        token_budget = None
    return replace(
        plain, sizes=sizes, bucket=bucket, token_budget=token_budget, resampling=resampling, shard_order=shard_order
    )


def training_sampler(
    experiment: Experiment, train: DataSplit, sizes: np.ndarray | None, token_budget: TokenBudget | None = None
) -> EpochSampler:
    """Build the batch sampler of a training split, which depends on its labels and shards; raises ExperimentError."""
    resampling, shard_order = resampling_of(experiment, train), ShardOrder.of(experiment, train)
    epochs = epoch_sampler_of(experiment, train.epoch_samples, sizes, resampling, token_budget, shard_order)
    stored = None if experiment.objective is None else experiment.objective.settings.get("stored_views")
    return epochs if stored is None else replace(epochs, views=min(int(stored), experiment.train.epochs))


def with_unlabeled_turns(epochs: EpochSampler, experiment: Experiment, splits: Mapping[str, DataSplit]) -> EpochSampler:
    """Return the batch sampler with the unlabeled samples that the objective takes for each labeled one, in turn."""
    objective = experiment.objective
    if objective is None or not objective.fact("unlabeled"):
        return epochs
    seed = seeds.word(f"{experiment.seed}/{UNLABELED}") >> 1
    visits = epochs.samples * int(objective.settings["ratio"])
    return replace(epochs, unlabeled=Resampling.in_turn(seed, len(splits[UNLABELED]), visits))


def token_budget_of(experiment: Experiment, device: Device) -> TokenBudget | None:
    """Return the token budget of a device, if any.

    `auto` disables it when samples of a batch interact (mix, objective), or processes need as many forward passes.
    """
    in_step = experiment.train.shard or experiment.train.sync_batchnorm
    independent = experiment.mix is None and experiment.objective is None and not in_step
    return TokenBudget.on(device.torch.type, experiment.data.batch_tokens, apart=independent)


def resampling_of(experiment: Experiment, train: DataSplit) -> Resampling | None:
    """Return which samples an epoch visits, if not each once: by the sampler, or by turns of pseudo-labeled samples.

    Pseudo-labels leave the shares of the classes as they are: the classes that are easy have more of them.
    """
    sampler, visits = experiment.data.sampler, train.epoch_samples
    if sampler is None and visits == len(train):
        return None
    counts = train.labeled_counts()
    shares = counts if sampler is None else sampler(counts)
    return Resampling.of_classes(experiment.seed, train.targets, shares, visits)


def training_length(experiment: Experiment, train_size: int) -> TrainingLength:
    """Compute the number of training steps."""
    steps = epoch_sampler_of(experiment, train_size).steps
    return TrainingLength(steps * experiment.train.epochs, steps)


def sizes_of(experiment: Experiment, split: DataSplit, preprocessing: Mapping[str, Any]) -> np.ndarray | None:
    """Return the size of each sample, such as its tokens; None if all are equal."""
    verbs = modality_of(experiment)
    return verbs.sizes(split.samples, split.ids, verbs.pipeline((), preprocessing))
