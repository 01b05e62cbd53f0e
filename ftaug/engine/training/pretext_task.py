"""The task of a network that is trained by an objective without labels: its outputs, and the targets of the samples."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ftaug.config.experiment import Experiment
from ftaug.engine.loading import seeds
from ftaug.engine.loading.joined_samples import JoinedSamples
from ftaug.engine.loading.split import UNLABELED, DataSplit
from ftaug.interfaces.data import Task

MAX_OUTPUTS = 50_000
"""Number of samples up to which the head has an output for each."""

RANK = 256
"""Outputs of the head for more samples, each of which then has a code of so many values."""


def with_pretext_task(experiment: Experiment, splits: Mapping[str, DataSplit]) -> Mapping[str, DataSplit]:
    """Return the splits with the outputs of the objective as classes, if it has any.

    The unlabeled samples are added to the training samples. The target of a sample is its position where each has an
    output, and 0 where the outputs are an embedding or there are too many samples: see `sample_codes`.
    """
    objective = experiment.objective
    if objective is None or objective.fact("learns_targets"):
        return splits
    train = with_unlabeled_samples(splits)
    outputs = objective.fact("outputs")
    if outputs is None:
        return {**splits, "train": train}
    if outputs == "samples" and len(train) <= MAX_OUTPUTS:
        names, targets = [f"sample {index}" for index in range(len(train))], np.arange(len(train))
    else:
        values = RANK if outputs == "samples" else int(objective.settings[outputs])
        names = [f"value {index}" for index in range(values)]
        targets = np.zeros(len(train), np.int64)
    return {**splits, "train": replace(train, task=Task(tuple(names)), targets=targets, soft_targets=None)}


def sample_codes(experiment: Experiment, samples: int) -> Tensor | None:
    """Return the codes of samples if the head has no output for each: float32 (samples, RANK), fixed and random.

    Their products with the outputs of the head are the outputs for the samples: a head of low rank, of whose two
    factors the first is trained. Random codes are nearly orthogonal.
    """
    objective = experiment.objective
    if objective is None or objective.fact("outputs") != "samples" or samples <= MAX_OUTPUTS:
        return None
    draws = torch.randn(samples, RANK, generator=torch.Generator().manual_seed(seeds.word(f"{experiment.seed}/codes")))
    return draws.div_(math.sqrt(RANK))


def with_unlabeled_samples(splits: Mapping[str, DataSplit]) -> DataSplit:
    """Return the training split with the unlabeled samples added, if there are any."""
    train = splits["train"]
    if UNLABELED not in splits:
        return train
    added = splits[UNLABELED]
    targets = np.concatenate([train.samples.targets, np.zeros((len(added.samples), *train.targets.shape[1:]), int)])
    return replace(
        train,
        samples=JoinedSamples(train.samples, added.samples, targets, None, UNLABELED),
        ids=np.concatenate([train.ids, len(train.samples) + added.ids]),
        targets=np.concatenate([train.targets, targets[len(train.samples) + added.ids]]),
        soft_targets=None,
        labeled=None,
        dataset_fingerprint=train.samples.fingerprint,
    )
