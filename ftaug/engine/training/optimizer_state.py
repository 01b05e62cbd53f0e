"""Save and load an optimizer's state as named tensors, bit-exact and without pickle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from ftaug.engine.training.sharding import sharded_like
from ftaug.errors import BadData

NUMBERS = {"bool": bool, "int": int, "float": float}
HOST_SCALARS = ("step", "mu_product")  # torch.optim keeps these on the CPU unless fused or capturable


def optimizer_tensors(optimizer: Optimizer) -> dict[str, Tensor]:
    """Flatten the optimizer state into named tensors.

    The keys are `group.position.name` for tensors, `group.position.name:type` for Python numbers.
    """
    tensors = {}
    for prefix, _, parameter in _parameters(optimizer):
        for name, value in optimizer.state.get(parameter, {}).items():
            if isinstance(value, Tensor):
                tensors[f"{prefix}.{name}"] = value.detach()
            elif type(value).__name__ in NUMBERS:
                tensors[f"{prefix}.{name}:{type(value).__name__}"] = _number(value)
            elif value is not None:
                raise TypeError(
                    f"optimizer state '{name}' is a {type(value).__name__}: only tensors and numbers can be saved"
                )
    return tensors


def load_optimizer(optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Restore the state that `optimizer_tensors` returned; raises BadData if it belongs to another optimizer."""
    parameters = {prefix: (group, parameter) for prefix, group, parameter in _parameters(optimizer)}
    optimizer.state.clear()
    for key, tensor in tensors.items():
        group_index, position, name = key.split(".", 2)
        prefix = f"{group_index}.{position}"
        if prefix not in parameters:
            raise BadData(f"the checkpoint has optimizer state for parameter {prefix}, which this run does not train")
        group, parameter = parameters[prefix]
        name, _, number = name.partition(":")
        optimizer.state[parameter][name] = (
            NUMBERS[number](tensor.item()) if number else _like_parameter(tensor, name, group, parameter)
        )


def _parameters(optimizer: Optimizer) -> Iterator[tuple[str, dict[str, Any], Tensor]]:
    """Iterate the parameters with their key, `group.position`, and their group."""
    for index, group in enumerate(optimizer.param_groups):
        for position, parameter in enumerate(group["params"]):
            yield f"{index}.{position}", group, parameter


def _number(value: float) -> Tensor:
    """Store a Python number without loss, as a float64 or int64 tensor."""
    return torch.tensor(value, dtype=torch.float64 if isinstance(value, float) else torch.int64)


def _like_parameter(tensor: Tensor, name: str, group: Mapping[str, Any], parameter: Tensor) -> Tensor:
    """Copy a state tensor to the device and memory layout that the optimizer would create it with."""
    if name in HOST_SCALARS and not (group.get("capturable") or group.get("fused")):
        return tensor.clone()
    if tensor.shape == parameter.shape:
        empty = torch.empty_like(parameter, dtype=tensor.dtype, requires_grad=False)
        return empty.copy_(sharded_like(tensor, parameter))
    return tensor.to(parameter.device, copy=True)
