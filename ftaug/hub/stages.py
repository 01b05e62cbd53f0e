"""Stages of encoders of transformers: embeddings, layers and head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ftaug.interfaces.model import Stage

if TYPE_CHECKING:
    from torch import nn


def stages(network: Any) -> tuple[Stage, ...]:
    """Return the stages: embeddings, one per encoder layer, and the head (everything after the layers).

    Position parameters shared by the layers belong to the embeddings. If all layers share weights, they are one stage.
    """
    base = network.model.base_model
    name, layers = stack_of(base)
    path = f"model.{network.model.base_model_prefix}.{name}"
    layer_stages = [Stage(f"layer{i + 1}", (f"{path}.{i}",)) for i in range(len(layers))]
    inside = {id(p) for p in layers.parameters()}
    first = embeddings_of(base, inside)
    before: list[str] = []
    after: list[str] = []
    for parameter, tensor in network.named_parameters():
        if id(tensor) not in inside:
            (before if id(tensor) in first else after).append(parameter)
    return (Stage("embeddings", tuple(before)), *layer_stages, Stage("head", tuple(after)))


def stack_of(base: nn.Module) -> tuple[str, nn.ModuleList]:
    """Return the encoder's layer stack and its attribute name: the ModuleList with the most parameters."""
    from torch import nn

    lists = [(name, module) for name, module in base.named_modules() if isinstance(module, nn.ModuleList)]
    return max(lists, key=lambda item: sum(p.numel() for p in item[1].parameters()))


def embeddings_of(base: nn.Module, inside: set[int]) -> set[int]:
    """Return the ids (`id()`) of the parameters before an encoder's layers, and of embeddings after them."""
    from torch import nn

    identities: set[int] = set()
    for parameter in base.parameters():
        if id(parameter) in inside:
            break
        identities.add(id(parameter))
    tables = (module for module in base.modules() if isinstance(module, nn.Embedding))
    return (identities | {id(p) for table in tables for p in table.parameters()}) - inside
