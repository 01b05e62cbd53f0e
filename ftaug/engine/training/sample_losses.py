"""The loss of each sample of a training step by itself."""

from __future__ import annotations

from typing import NamedTuple

import torch

from ftaug.config.task_fit import labels_learned
from ftaug.engine.loading.batches import Batch, BatchRequest, PreparedDataset
from ftaug.engine.training.micro_batches import device_inputs, targets_of
from ftaug.engine.training.state import TrainingState


class SampleLoss(NamedTuple):
    """A sample of a step and its loss."""

    position: int  # in the split
    epoch: int  # that selects its augmentation
    loss: float | None  # None if the objective learns without labels


def sample_losses(state: TrainingState, step: int) -> list[SampleLoss]:
    """Compute the loss of each sample of a step (from 0) with the current weights, augmented as in that step.

    The network is in evaluation mode, so that a sample does not depend on others: BatchNorm uses its running
    statistics. Mixing is left out, and of several views the first is taken.
    """
    data, comparable = state.prepared("train"), labels_learned(state.experiment)
    state.model.eval()
    result = []
    for request in state.epochs.requests(step, step + 1):
        losses = _losses(state, data, request) if comparable else [None] * len(request.ids)
        for place, (position, loss) in enumerate(zip(request.ids.tolist(), losses, strict=True)):
            assert request.epoch is not None
            epoch = request.epoch if request.rounds is None else int(request.rounds[place])
            result.append(SampleLoss(position, epoch, loss))
    return result


def _losses(state: TrainingState, data: PreparedDataset, request: BatchRequest) -> list[float]:
    batch = data[request]
    if not isinstance(batch, Batch):
        raise batch.error
    targets = targets_of(state, batch)
    first_view = device_inputs(state, batch)[: len(targets)]
    with torch.no_grad():
        with state.device.autocast():
            logits = state.model(first_view)
        return [state.loss(logits[i : i + 1], targets[i : i + 1]).item() for i in range(len(targets))]
