"""How much of a batch goes through the network at once: all of it, or parts, where memory does not hold it."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from ftaug.engine.loading.batches import Batch, BatchRequest, Failure
from ftaug.engine.training.fit import loss_of
from ftaug.engine.training.micro_batches import device_inputs, targets_of
from ftaug.engine.training.state import TrainingState
from ftaug.errors import OutOfMemory

SHARE = 0.7
"""Of the free memory; the rest is for what comes and goes, and for whoever else is there."""

TRANSIENT = 1.6
"""What a step takes at its height, over what is kept for going back."""

FEW = 4
"""Batches of so many samples are not parted."""


@dataclass(frozen=True)
class MicroBatchSize:
    """The most samples that go through the network at once, and why where that is not the whole batch."""

    samples: int
    reason: str = ""


def with_micro_batch(setup: TrainingState, kept: int | None = None) -> TrainingState:
    """The setup with the parts that its batches go through the network in; `kept` is what the run began with."""
    asked, batch = setup.experiment.train.micro_batch, setup.experiment.data.batch_size
    if isinstance(asked, int):
        parts = MicroBatchSize(asked)
    elif kept is not None:
        parts = MicroBatchSize(kept, "as when the run began" if kept < batch else "")
    else:
        parts = _fitting(setup, batch)
    return replace(setup, parts=parts, epochs=replace(setup.epochs, micro=parts.samples))


def _fitting(setup: TrainingState, batch: int) -> MicroBatchSize:
    """As many samples as free memory holds; raises OutOfMemory where that is none."""
    if batch <= FEW or len(setup.portions["train"]) < FEW:
        return MicroBatchSize(batch)
    less, more = (_kept_for_going_back(setup, count) for count in (FEW // 2, FEW))
    each = TRANSIENT * (more - less) / (FEW - FEW // 2)
    room = SHARE * available(setup.device.torch) - _for_mixing(setup)
    fitting = batch if each * batch <= room else int(room / each)
    if fitting >= batch:
        return MicroBatchSize(batch)
    if fitting < 1:
        raise OutOfMemory(
            f"out of memory: a sample takes {each / 1e9:.2f} GB in training, and {room / 1e9:.2f} GB are to be had; "
            "freeze more layers, or take a smaller network"
        )
    norms = any(isinstance(module, _BatchNorm) and module.weight is not None for module in setup.model.modules())
    seen = f"; BatchNorm sees {fitting} at a time" if norms else ""
    return MicroBatchSize(fitting, f"{each / 1e9:.2f} GB a sample, {room / 1e9:.1f} GB to be had{seen}")


def _for_mixing(setup: TrainingState) -> int:
    """Bytes that mixing takes: the inputs of a whole step, their partners and what comes of them, in float32."""
    if setup.experiment.mix is None:
        return 0
    inputs: Tensor = device_inputs(setup, _largest(setup, 1))
    step = setup.experiment.data.batch_size * setup.experiment.train.accumulate
    return 3 * step * inputs.numel() * torch.float32.itemsize


def _largest(setup: TrainingState, count: int) -> Batch:
    """A batch of the largest training samples."""
    data = setup.prepared("train")
    order = np.arange(count) if data.sizes is None else np.argsort(-data.sizes, kind="stable")[:count]
    batch = data[BatchRequest(order, 0, 0, 0, 1.0)]
    if isinstance(batch, Failure):
        raise batch.error
    return batch


def _kept_for_going_back(setup: TrainingState, count: int) -> int:
    """Bytes that a forward pass keeps for the backward pass, of the largest samples."""
    batch = _largest(setup, count)
    network = setup.model.network
    setup.plan.apply(network, max(setup.plan.starts))  # when most of it learns
    network.eval()  # so that no statistics move
    found: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        found[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = loss_of(setup, device_inputs(setup, batch), targets_of(setup, batch), setup.model)
    del loss
    return sum(found.values())


def available(device: torch.device) -> int:
    """Bytes that this process may still take, on its device."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    with Path("/proc/meminfo").open() as lines:
        figures = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines}
    return min(figures.get("MemAvailable", figures["MemFree"]), *_of_the_group())


def _of_the_group() -> list[int]:
    """What a limit on the group of processes leaves, as containers and batch systems set it."""
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        if Path(limit).is_file() and (text := Path(limit).read_text().strip()).isdecimal():
            return [int(text) - int(Path(used).read_text())]
    return [2**62]
