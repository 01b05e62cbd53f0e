"""Recompute BatchNorm statistics for averaged weights, whose activations no training step has seen (SWA)."""

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from ftaug.config.experiment import Experiment
from ftaug.engine.loading.batches import Batch, batches
from ftaug.engine.loading.prepare import prepare_split, token_budget_of, training_sampler
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.system.device import Device
from ftaug.engine.training.sharding import gathered_model
from ftaug.engine.training.state import Model, TrainingState
from ftaug.engine.training.unfreeze import Plan

BATCHES = 50
"""Number of training batches to compute statistics from."""


def updated_norms(network: nn.Module, plan: Plan, step: int) -> list[_BatchNorm]:
    """Return the BatchNorm layers whose running statistics are updated in a step."""
    eval_ids = {id(module) for module in plan.eval_modules(network, step)}
    norms = (module for module in network.modules() if isinstance(module, _BatchNorm))
    return [norm for norm in norms if norm.running_mean is not None and id(norm) not in eval_ids]


@torch.no_grad()
def recompute_statistics(model: nn.Module, norms: Sequence[_BatchNorm], feed: Iterable[Batch], device: Device) -> None:
    """Set the running statistics of BatchNorm layers to their mean over batches, equally weighted; no weights change.

    A batch of one sample, which has no variance, is skipped.
    """
    model.eval()
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum, norm.training = None, True  # momentum None: cumulative average
    for batch in feed:
        if len(batch.request.ids) > 1:
            with device.autocast():
                model(batch.inputs.to(device.torch))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum, norm.training = momentum, False


def training_batches(
    experiment: Experiment, split: DataSplit, preprocessing: Mapping[str, Any], workers: int, device: Device
) -> Iterator[Batch]:
    """Iterate the first training batches, in the order and with the augmentation of training."""
    data = prepare_split(experiment, split, experiment.augment, preprocessing)
    epochs = training_sampler(experiment, split, data.sizes, token_budget_of(experiment, device))
    requests = epochs.requests(0, min(epochs.steps, BATCHES))
    return batches(data, requests, workers, pin=False)


def evaluation_model(state: TrainingState, step: int) -> Model:
    """Return the model to evaluate after so many steps: a copy with averaged weights (EMA, SWA) or the trained one.

    Of a sharded model it is a copy with the weights of all processes.
    """
    if state.is_sharded:
        model = gathered_model(state)
    elif state.average is None:
        return state.model
    else:
        model = copy.deepcopy(state.model)
        state.average.copy_to(model.network)
    if norms := _averaged_norms(state, model, step):
        preprocessing = state.backbone.preprocessing
        feed = training_batches(state.experiment, state.splits["train"], preprocessing, state.workers, state.device)
        recompute_statistics(model, norms, feed, state.evaluation_device)
    return model


def keep_statistics(state: TrainingState, model: Model, step: int) -> None:
    """Copy the BatchNorm statistics of an evaluation model into the weight average, so that checkpoints have them."""
    if state.average is not None and _averaged_norms(state, model, step):
        state.average.load(dict(model.network.named_buffers()))


def _averaged_norms(state: TrainingState, model: Model, step: int) -> list[_BatchNorm]:
    """Return the BatchNorm layers whose statistics do not fit the averaged weights."""
    average = state.average
    return (
        updated_norms(model.network, state.plan, step - 1) if average is not None and average.over.spans(step) else []
    )
