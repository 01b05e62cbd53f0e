"""Micro-batches of a step for gradient accumulation, on the device, with mixup or CutMix over all of them.

A mix is drawn for all samples of a part of a step (see `data.parts`; by default the whole step), independent of the
micro-batches. A sample's partner may be in another micro-batch, so the inputs of the whole part are moved to the device
before the first forward pass.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ftaug.engine.loading import seeds
from ftaug.engine.loading.batches import Batch, to_device
from ftaug.engine.loading.prepare import modality_of, token_budget_of
from ftaug.engine.system.profiler import phase
from ftaug.engine.training.state import TrainingState


class MicroBatch(NamedTuple):
    """Inputs and targets of one forward pass, on the device."""

    inputs: Any  # as the model takes them; with several views, all samples of the first view, then of the second …
    targets: Tensor  # (samples, …)
    share: float  # of the step's samples
    is_last: bool  # of a part of the step


def micro_batches(state: TrainingState, step: int, feed: Iterator[Batch], part: int = 0) -> Iterator[MicroBatch]:
    """Yield the micro-batches of a part of a step, seeding torch's generators before each."""
    read = _read(state, feed)
    mixes = state.experiment.mix is not None
    for number, micro_batch in enumerate(_mixed(state, step, part, list(read)) if mixes else read):
        torch.manual_seed(seeds.step_seed(state.experiment.seed, step, number, part))
        yield micro_batch


def _read(state: TrainingState, feed: Iterator[Batch]) -> Iterator[MicroBatch]:
    """Yield the micro-batches of a part of a step in the order of the data loader."""
    ends_part = False
    while not ends_part:
        with phase("wait for data"):
            batch = next(feed)
        with phase("transfer"):
            ends_part = batch.request.ends_part
            micro_batch = MicroBatch(
                device_inputs(state, batch), targets_of(state, batch), batch.request.share, ends_part
            )
        yield micro_batch


def device_inputs(state: TrainingState, batch: Batch) -> Any:
    """Move the inputs of a batch to the device and finish augmentations that run there."""
    inputs = to_device(batch.inputs, state.device.torch)
    return inputs if isinstance(inputs, Tensor) else modality_of(state.experiment).finished(inputs)


def targets_of(state: TrainingState, batch: Batch) -> Tensor:
    """Move the targets of a batch to the device: int64 (batch,), or float (batch, classes, numbers or features)."""
    if state.teacher_features is not None:
        return state.teacher_features.targets(batch.request).to(state.device.torch)
    if state.codes is not None:
        return torch.from_numpy(np.asarray(batch.request.ids)).to(state.device.torch)
    targets = batch.targets.float() if state.task.multi_label else batch.targets
    return targets.to(state.device.torch, non_blocking=True)


def _mixed(state: TrainingState, step: int, part: int, read: Sequence[MicroBatch]) -> Iterator[MicroBatch]:
    """Mix the samples of a whole part, then split them into micro-batches again."""
    verbs = modality_of(state.experiment)
    share = sum(batch.share for batch in read)
    with phase("transfer"):
        inputs = read[0].inputs if len(read) == 1 else verbs.concatenated([batch.inputs for batch in read])
        inputs, targets = _mix(state, step, part, inputs, torch.cat([batch.targets for batch in read]))
    remaining = len(targets)
    for rows in _rows(state, inputs, [len(batch.targets) for batch in read]):
        with phase("transfer"):
            chosen = targets[rows]
            remaining -= len(chosen)
            chosen_share = share * len(chosen) / len(targets)
            micro_batch = MicroBatch(verbs.selected(inputs, rows), chosen, chosen_share, remaining == 0)
        yield micro_batch


def _mix(state: TrainingState, step: int, part: int, inputs: Any, targets: Tensor) -> tuple[Any, Tensor]:
    """Apply the experiment's mix to the samples of a part; from `mix_until` on return them as they are."""
    experiment = state.experiment
    mix, until = experiment.mix, experiment.train.mix_until
    if mix is None or (until is not None and step >= until.steps(state.training_length)):
        return inputs, targets
    if state.task.kind == "single_label" and targets.ndim == 1:
        targets = one_hot(targets, len(state.task.classes)).float()
    torch.manual_seed(seeds.step_seed(experiment.seed, step, 0, part))
    mixed: tuple[Any, Tensor] = mix(inputs, targets, seeds.generator(experiment.seed, "mix", step, part))
    return mixed


def _rows(state: TrainingState, inputs: Any, counts: Sequence[int]) -> Iterator[slice | Tensor]:
    """Yield the rows of each micro-batch: by size where there is a token budget, else as they were read."""
    token_budget = token_budget_of(state.experiment, state.device)
    sizes = None if token_budget is None else modality_of(state.experiment).sizes_in(inputs)
    if token_budget is None or sizes is None:
        yield from (slice(first, last) for first, last in pairwise([0, *np.cumsum(counts).tolist()]))
        return
    order = np.argsort(-sizes, kind="stable")
    ends = np.cumsum(token_budget.counts(sizes[order], state.epochs.most))[:-1]
    yield from (torch.from_numpy(rows).to(state.device.torch) for rows in np.split(order, ends))
