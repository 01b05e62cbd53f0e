"""Find the micro-batch size that fits into memory: the whole batch, or less with gradient accumulation."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from ftaug.engine.loading.batches import Batch, BatchRequest, Failure
from ftaug.engine.loading.split import UNLABELED
from ftaug.engine.training.fit import loss_of
from ftaug.engine.training.micro_batches import device_inputs, targets_of
from ftaug.engine.training.state import TrainingState
from ftaug.errors import OutOfMemory

MEMORY_SHARE = 0.7
"""Share of the free memory to use; leaves headroom for temporary tensors and other processes."""

PEAK_FACTOR = 1.6
"""Peak memory of a step, relative to the activations saved for the backward pass."""

MIN_BATCH = 4
"""Batches of up to so many samples are not split."""


@dataclass(frozen=True)
class MicroBatchSize:
    """The number of samples per forward pass, and the reason if that is not the whole batch."""

    samples: int
    reason: str = ""


def with_micro_batch(state: TrainingState, resumed: int | None = None) -> TrainingState:
    """Return the training state with its micro-batch size resolved; raises OutOfMemory.

    `resumed` is the size that a resumed run started with.
    """
    size, batch = state.experiment.train.micro_batch, state.experiment.data.batch_size
    if isinstance(size, int):
        micro_batch = MicroBatchSize(size)
    elif resumed is not None:
        micro_batch = MicroBatchSize(resumed, "as when the run began" if resumed < batch else "")
    else:
        micro_batch = _agreed(state, _largest_fitting(state, batch))
    return replace(state, micro_batch=micro_batch, epochs=replace(state.epochs, micro=micro_batch.samples))


def _agreed(state: TrainingState, fitting: MicroBatchSize) -> MicroBatchSize:
    """Return the smallest micro-batch of all processes."""
    samples = state.ranks.least(fitting.samples)
    return fitting if samples == fitting.samples else MicroBatchSize(samples, "fits into the memory of each process")


def _largest_fitting(state: TrainingState, batch: int) -> MicroBatchSize:
    """Return the largest micro-batch that fits into free memory; raises OutOfMemory if one sample does not."""
    if batch <= MIN_BATCH or len(state.splits["train"]) < MIN_BATCH:
        return MicroBatchSize(batch)
    # Two sizes: their difference is the memory of samples alone, without what a forward pass takes at any size.
    less, more = (_saved_for_backward(state, count) for count in (MIN_BATCH // 2, MIN_BATCH))
    each = PEAK_FACTOR * (more - less) / (MIN_BATCH - MIN_BATCH // 2)
    room = MEMORY_SHARE * available(state.device.torch) - _mixing_bytes(state)
    fitting = batch if each * batch <= room else int(room / each)
    if fitting >= batch:
        return MicroBatchSize(batch)
    if fitting < 1:
        raise OutOfMemory(
            f"out of memory: a sample takes {each / 1e9:.2f} GB in training, and {room / 1e9:.2f} GB are available; "
            "freeze more layers, or take a smaller network"
        )
    norms = any(isinstance(module, _BatchNorm) and module.weight is not None for module in state.model.modules())
    note = f"; BatchNorm sees {fitting} at a time" if norms else ""
    return MicroBatchSize(fitting, f"{each / 1e9:.2f} GB a sample, {room / 1e9:.1f} GB available{note}")


def _mixing_bytes(state: TrainingState) -> int:
    """Return the bytes that mixing takes: inputs of a whole step, their partners and the results, in float32."""
    if state.experiment.mix is None:
        return 0
    inputs: Tensor = device_inputs(state, _largest_samples(state, 1))
    step = state.experiment.data.batch_size * state.experiment.train.gradient_accumulation
    return 3 * step * inputs.numel() * torch.float32.itemsize


def _largest_samples(state: TrainingState, count: int) -> Batch:
    """Load a batch of the largest training samples; raises the error of its samples."""
    data = state.prepared("train")
    order = np.arange(count) if data.sizes is None else np.argsort(-data.sizes, kind="stable")[:count]
    request = BatchRequest(order, 0, 0, 0, 1.0)
    if state.epochs.unlabeled is not None:
        ratio = int(state.epochs.unlabeled.quotas.sum()) // state.epochs.samples
        added = np.resize(np.arange(len(state.splits[UNLABELED])), ratio * count)
        request = request._replace(unlabeled=added, unlabeled_rounds=np.zeros_like(added))
    batch = data[request]
    if isinstance(batch, Failure):
        raise batch.error
    return batch


def _saved_for_backward(state: TrainingState, count: int) -> int:
    """Measure the bytes of activations that a forward pass of the largest samples saves for the backward pass."""
    batch = _largest_samples(state, count)
    network = state.model.network
    state.plan.apply(network, max(state.plan.starts))  # at the step at which most parameters are trainable
    network.eval()  # so that BatchNorm statistics stay as they are
    sizes: dict[int, int] = {}  # by storage address, as tensors may share one

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        sizes[storage.data_ptr()] = storage.nbytes()
        return tensor.detach()  # the tensor itself may be the output of the operation that saves it: a cycle

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = loss_of(state, device_inputs(state, batch), targets_of(state, batch), state.model, 0)
    del loss
    return sum(sizes.values())


def available(device: torch.device) -> int:
    """Return the free memory of a device in bytes: on the CPU also within the cgroup's limit."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    with Path("/proc/meminfo").open() as lines:
        meminfo = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines}
    return min(meminfo.get("MemAvailable", meminfo["MemFree"]), *_cgroup_headroom())


def _cgroup_headroom() -> list[int]:
    """Return the bytes left below the cgroup memory limit of a container or batch system; 2⁶² without one."""
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        if Path(limit).is_file() and (text := Path(limit).read_text().strip()).isdecimal():
            return [int(text) - int(Path(used).read_text())]
    return [2**62]
