"""Parts of an optimizer step, each with a gradient of its own, and their sum over all processes of a run.

The gradients of the parts are added up pairwise, in the order of a binary tree: (0 + 1) + (2 + 3) …. A process computes
a subtree, so a step has the same bits for any number of processes that divides the number of parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ftaug.engine.system.ranks import Ranks
from ftaug.engine.training.batchnorm import updated_norms
from ftaug.engine.training.state import TrainingState
from ftaug.engine.training.sync_batchnorm import synchronize
from ftaug.errors import ExperimentError, one_of


@dataclass(frozen=True)
class Part:
    """Gradients and totals of a part of a step, or of the sum of several."""

    gradients: Sequence[Tensor | None]  # of the trainable parameters
    totals: Tensor  # float64, on the CPU: loss, weights, number of samples, and what the objective observed

    def __add__(self, other: Part) -> Part:
        """Add another part; the gradients of this one are overwritten."""
        pairs = list(zip(self.gradients, other.gradients, strict=True))
        both = [(first, second) for first, second in pairs if first is not None and second is not None]
        if both:
            torch._foreach_add_([first for first, _ in both], [second for _, second in both])
        gradients = [second if first is None else first for first, second in pairs]
        return Part(gradients, self.totals + other.totals)


def take_gradients(
    parameters: Sequence[nn.Parameter], loss: Tensor, weights: float, samples: int, observed: Tensor
) -> Part:
    """Return the gradients of the parameters as those of a part, and clear them."""
    gradients = [parameter.grad for parameter in parameters]
    for parameter in parameters:
        parameter.grad = None
    return Part(gradients, torch.cat([torch.tensor([loss.item(), weights, samples], dtype=torch.float64), observed]))


def tree_sum(parts: Iterable[Part]) -> Part:
    """Add up parts pairwise as they come; holds one sum per level of the tree."""
    sums: list[tuple[int, Part]] = []
    for part in parts:
        level = 0
        while sums and sums[-1][0] == level:
            part, level = sums.pop()[1] + part, level + 1
        sums.append((level, part))
    while len(sums) > 1:  # the number of parts is no power of two
        _, right = sums.pop()
        sums.append((-1, sums.pop()[1] + right))
    return sums[0][1]


def sum_in_order(ranks: Ranks, part: Part, parameters: Sequence[nn.Parameter]) -> Part:
    """Add up the parts of all processes in the order of the tree."""
    if ranks.size == 1:
        return part
    has_gradient = torch.tensor([gradient is not None for gradient in part.gradients], dtype=torch.float64)
    totals = ranks.tree_sum(torch.cat([part.totals, has_gradient]))
    totals, counts = totals[: len(part.totals)], totals[len(part.totals) :]
    existing = [index for index, count in enumerate(counts.tolist()) if count]
    gradients: list[Tensor | None] = [None] * len(parameters)
    if existing:
        flat = ranks.tree_sum(torch.cat([flattened(part.gradients[index], parameters[index]) for index in existing]))
        sizes = [parameters[index].numel() for index in existing]
        for index, values in zip(existing, torch.split(flat, sizes), strict=True):
            gradients[index] = unflattened(values, parameters[index])
    return Part(gradients, totals)


def flattened(gradient: Tensor | None, parameter: nn.Parameter) -> Tensor:
    """Return a gradient in the order of its parameter's memory; zeros if there is none."""
    if gradient is None:
        return parameter.new_zeros(parameter.numel())
    return gradient.permute(memory_order(parameter)).flatten()


def unflattened(values: Tensor, parameter: nn.Parameter) -> Tensor:
    """Return values that are in the order of a parameter's memory in its shape, without a copy."""
    order = memory_order(parameter)
    return values.view(parameter.permute(order).shape).permute(np.argsort(order).tolist())


def memory_order(tensor: Tensor) -> list[int]:
    """Return the dimensions of a tensor as they lie in memory, so that flattening it in this order copies nothing."""
    strides = tensor.stride()
    return sorted(range(tensor.ndim), key=lambda dimension: -strides[dimension])


def with_parts(state: TrainingState, ranks: Ranks) -> TrainingState:
    """Return the training state with the parts of a step dealt to the processes; raises ExperimentError."""
    setting = state.experiment.data.parts
    parts = ranks.size if isinstance(setting, str) else setting
    if parts % ranks.size:
        counts = one_of([str(2**power) for power in range(parts.bit_length())])
        raise ExperimentError(f"--processes {ranks.size}: must divide data.parts, {parts}; use {counts}")
    smallest = state.epochs.samples // state.epochs.steps // parts
    norms = {
        id(norm): norm for step in state.plan.starts for norm in updated_norms(state.model.network, state.plan, step)
    }
    synchronized = state.experiment.train.sync_batchnorm
    least = 2 if norms and not synchronized else 1
    if parts > 1 and smallest < least:
        key = f"--processes {parts}" if isinstance(setting, str) else f"data.parts: {parts}"
        text = f"a step of {state.epochs.samples // state.epochs.steps} samples leaves {smallest} for some parts"
        needs = ", and BatchNorm that learns needs 2 in each" if least == 2 else ""
        raise ExperimentError(f"{key}: {text}{needs}; use a larger data.batch_size, or fewer parts")
    if parts > 1 and any(norm.momentum is None for norm in norms.values()):
        raise ExperimentError("data.parts: BatchNorm with momentum None cannot be split into parts; use 1")
    if synchronized:
        if not norms:
            raise ExperimentError("train.sync_batchnorm: has no effect, as no BatchNorm layer is trained; leave it out")
        synchronize(state.model.network, ranks)
    share = parts // ranks.size
    of_rank = range(ranks.rank * share, (ranks.rank + 1) * share)
    return replace(state, ranks=ranks, epochs=replace(state.epochs, parts=parts, of_rank=of_rank))


class PartStatistics:
    """The running statistics of BatchNorm layers over the parts of a step, applied in the order of the parts."""

    def __init__(self, norms: Sequence[_BatchNorm]) -> None:
        self.norms = norms
        both = (buffer for norm in norms for buffer in (norm.running_mean, norm.running_var))
        self.buffers = [buffer for buffer in both if buffer is not None]
        self.before = [buffer.clone() for buffer in self.buffers]
        tracked = (norm.num_batches_tracked for norm in norms)
        self.batches = [number for number in tracked if number is not None]
        self.batches_before = [number.clone() for number in self.batches]
        self.updates: list[Tensor] = []
        self.counts: list[Tensor] = []

    def collect(self, parts: Iterable[Part]) -> Iterator[Part]:
        """Pass on the parts as they are computed, and collect the statistics of each."""
        parts = iter(parts)
        while True:
            for tensor in [*self.buffers, *self.batches]:
                tensor.zero_()
            if (part := next(parts, None)) is None:
                return
            self.updates.append(torch.cat(self.buffers))
            self.counts.append(torch.stack(self.batches))
            yield part

    def apply(self, ranks: Ranks) -> None:
        """Set the running statistics to those after all parts of all processes."""
        updates = torch.cat(ranks.gather(torch.stack(self.updates)))
        counts = torch.cat(ranks.gather(torch.stack(self.counts)))
        sizes = [buffer.numel() for buffer in self.buffers]
        for update, count in zip(updates, counts.tolist(), strict=True):
            for number, values in enumerate(torch.split(update, sizes)):
                momentum = self.norms[number // 2].momentum
                assert momentum is not None
                self.before[number].mul_((1 - momentum) ** count[number // 2]).add_(values)
        for buffer, values in zip(self.buffers, self.before, strict=True):
            buffer.copy_(values)
        for tracked, before, total in zip(self.batches, self.batches_before, counts.sum(dim=0), strict=True):
            tracked.copy_(before + total)
