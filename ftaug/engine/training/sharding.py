"""Shard parameters, gradients, optimizer state and averages of a model over the processes of a run.

PyTorch's fully sharded data parallel (FSDP2; Zhao et al. 2023): a block's weights are whole only while it computes, and
its gradients are summed in the backward pass.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from torch import Tensor, nn

from ftaug.engine.training.build import parameter_groups, place_model
from ftaug.engine.training.gradient_checkpointing import blocks
from ftaug.engine.training.state import Model, TrainingState
from ftaug.engine.training.weight_averaging import Average
from ftaug.errors import ExperimentError

if TYPE_CHECKING:
    from torch.distributed.fsdp import FSDPModule


def with_shards(state: TrainingState) -> TrainingState:
    """Return the training state with its weights sharded over the processes if `train.shard` is set.

    Each block of the network is a unit, and the rest of it. Raises ExperimentError.
    """
    experiment = state.experiment
    together = experiment.train.shard or experiment.train.sync_batchnorm
    if together and state.ranks.size > 1 and state.epochs.most == 1:
        key = "shard" if experiment.train.shard else "sync_batchnorm"
        raise ExperimentError(f"train.{key}: needs micro-batches of 2 samples or more in each process; got 1")
    if not experiment.train.shard:
        return state
    if state.method.penalty is not None and experiment.method is not None:
        text = f"cannot be used with method {experiment.method.name}, whose penalty needs whole weights"
        raise ExperimentError(f"train.shard: {text}; leave one out")
    if state.device.precision == "fp16":
        raise ExperimentError("train.shard: cannot be used with train.precision fp16; use bf16 or fp32")
    if state.ranks.size == 1:
        return state
    # Imported here, as it takes half a second that other runs need not wait for.
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    network, unsharded = state.model.network, _without_weights(state.model)
    for parameter in network.parameters():
        parameter.data = parameter.data.contiguous()  # FSDP does not support channels-last weights
    mesh = init_device_mesh(state.device.torch.type, (state.ranks.size,))
    for module in (*blocks(state.backbone), network):
        fully_shard(module, mesh=mesh)
    for unit in _units(network):
        unit.set_gradient_divide_factor(1.0)  # a sum, as losses are weighted by their share of the step
        unit.set_force_sum_reduction_for_comms(True)
    return replace(
        state,
        optimizer=experiment.optimizer(parameter_groups(network, state.plan, experiment.lr.peak)),
        average=Average.of(network, experiment.train, state.training_length),
        unsharded=unsharded,
    )


def apply_plan(state: TrainingState, step: int) -> None:
    """Set which parameters are trainable in a step, and the modes of the modules."""
    state.plan.apply(state.model.network, step)
    if state.is_sharded:  # the whole weights of a unit are parameters of their own
        for unit in _units(state.model.network):
            unit.unshard()
        state.plan.apply(state.model.network, step)
        for unit in _units(state.model.network):
            unit.reshard()


def gathered(tensor: Tensor) -> Tensor:
    """Return a tensor as a whole; all processes must call this for a sharded one."""
    whole: Tensor = tensor.full_tensor() if is_shard(tensor) else tensor  # type: ignore[attr-defined]
    return whole


def is_shard(tensor: Tensor) -> bool:
    """Return whether a tensor is the shard of one that several processes hold: a DTensor."""
    return hasattr(tensor, "full_tensor")


def sharded_like(tensor: Tensor, like: Tensor) -> Tensor:
    """Return the shard of this process of a whole tensor if another tensor is sharded, else the tensor itself."""
    if not is_shard(like):
        return tensor
    from torch.distributed.tensor import DTensor, distribute_tensor

    assert isinstance(like, DTensor)
    return distribute_tensor(tensor.to(like.device), like.device_mesh, like.placements, src_data_rank=None)


def all_sharded_like(tensors: Mapping[str, Tensor], like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Apply `sharded_like` to tensors by name; those of other names stay whole."""
    return {name: sharded_like(tensor, like.get(name, tensor)) for name, tensor in tensors.items()}


def gathered_model(state: TrainingState) -> Model:
    """Return a copy of a sharded model as a whole, with averaged weights if there are any; for evaluation."""
    model = copy.deepcopy(state.unsharded)
    assert model is not None
    tensors = state.model.network.state_dict() if state.average is None else state.average.tensors
    whole = {name: gathered(tensor) if is_shard(tensor) else tensor.clone() for name, tensor in tensors.items()}
    model.network.load_state_dict(whole, assign=True)
    return place_model(model, state.device)


def _units(network: nn.Module) -> list[FSDPModule]:
    from torch.distributed.fsdp import FSDPModule

    return [module for module in network.modules() if isinstance(module, FSDPModule)]


def _without_weights(model: Model) -> Model:
    """Copy a model with parameters that have no memory; buffers, which are not sharded, are copied."""
    memo = {id(p): nn.Parameter(p.detach().to("meta"), requires_grad=False) for p in model.parameters()}
    return copy.deepcopy(model, memo)
