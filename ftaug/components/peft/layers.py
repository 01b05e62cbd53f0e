"""Modules that PEFT methods add to layers: low-rank updates, scale and shift; mergeable into the weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear

Fold = Callable[[], None]
"""Merges what was added to a layer into its weights and removes it."""

ATTENTION = {"MultiheadAttention": "out_proj", "ShiftedWindowAttention": "proj", "ShiftedWindowAttentionV2": "proj"}
"""Modules that use the weights of linear layers without calling them, by class, with the last of these layers."""

CHANGEABLE = (nn.Linear, nn.Conv2d, nn.MultiheadAttention, NonDynamicallyQuantizableLinear)
"""Layer types that support low-rank updates; subclasses may use their weights differently."""

CHANNELS = {
    "Linear": -1, "Conv1d": 1, "Conv2d": 1, "BatchNorm1d": 1, "BatchNorm2d": 1, "GroupNorm": 1, "LayerNorm": -1,
    "LayerNorm2d": 1, **dict.fromkeys(ATTENTION, -1),
}  # fmt: skip
"""Layer types whose output can be scaled, with the channel axis."""


class LowRank(nn.Module):
    """Low-rank weight update: b · a for each channel group."""

    def __init__(self, weight: Tensor, groups: int, rank: int, scale: float, dropout: float) -> None:
        super().__init__()
        self.groups, self.scale = groups, scale
        self.dropout = nn.Dropout(dropout)
        outputs, *inner = weight.shape
        self.a = nn.Parameter(torch.empty(rank * groups, *inner))
        self.b = nn.Parameter(torch.zeros(outputs, rank, *(1 for _ in inner[1:])))
        nn.init.kaiming_uniform_(self.a, a=5**0.5)

    def forward(self, layer: nn.Linear | nn.Conv2d, inputs: Tensor) -> Tensor:
        """Compute what the update adds to the layer's output."""
        seen = self.dropout(inputs)
        if isinstance(layer, nn.Conv2d):
            low = layer._conv_forward(seen, self.a, None)
            return conv2d(low, self.b, groups=self.groups) * self.scale
        return linear(linear(seen, self.a), self.b) * self.scale

    def change(self) -> Tensor:
        """Return the update as a tensor of the weight's shape."""
        rank = self.b.shape[1]
        a, b = self.a.reshape(self.groups, rank, -1), self.b.reshape(self.groups, -1, rank)  # may be channels_last
        return (b @ a).reshape(len(self.b), *self.a.shape[1:]) * self.scale


class ScaleAndShift(nn.Module):
    """Scale of every output channel, and a shift if the layer has a bias."""

    def __init__(self, channels: int, axis: int, *, shifts: bool) -> None:
        super().__init__()
        self.axis = axis
        self.scale = nn.Parameter(torch.ones(channels))
        self.shift = nn.Parameter(torch.zeros(channels)) if shifts else None

    def forward(self, outputs: Tensor) -> Tensor:
        """Scale and shift."""
        shape = [1] * outputs.ndim
        shape[self.axis] = -1
        scaled = outputs * self.scale.view(shape)
        return scaled if self.shift is None else scaled + self.shift.view(shape)


def weights_to_change(network: nn.Module, rank: int) -> dict[str, nn.Module]:
    """Find weights for which a low-rank update is possible and smaller, by name, each with its layer."""
    layers: dict[str, nn.Module] = {}
    for name, layer in network.named_modules():
        weight = getattr(layer, _weight_of(layer), None)
        if (
            weight is not None
            and type(layer) in CHANGEABLE
            and rank * (_groups(layer) * weight[0].numel() + len(weight)) < weight.numel()
        ):
            layers[f"{name}.{_weight_of(layer)}"] = layer
    return layers


def add_low_rank(layer: Any, inside: bool, rank: int, scale: float, dropout: float) -> Fold:
    """Add a low-rank update, initially zero, to a layer as its child `lora`.

    Where the layer is `inside` a module that only reads its weights, these are what is changed.
    """
    key = _weight_of(layer)
    weight = layer._parameters[key]
    layer.lora = LowRank(weight, _groups(layer), rank, scale, dropout)
    if inside:
        plain = type(layer)
        layer.__class__ = type(f"Changed{plain.__name__}", (plain,), {key: property(_changed)})
        take_away: Fold = partial(setattr, layer, "__class__", plain)
    else:
        take_away = layer.register_forward_hook(_added).remove

    @torch.no_grad()
    def fold() -> None:
        take_away()
        layer._parameters[key].add_(layer.lora.change())
        del layer.lora

    return fold


def _added(layer: Any, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
    return output + cast(Tensor, layer.lora(layer, inputs[0]))


def _changed(layer: Any) -> Tensor:
    return cast(Tensor, layer._parameters[_weight_of(layer)] + layer.lora.change())


def _weight_of(layer: nn.Module) -> str:
    return "in_proj_weight" if isinstance(layer, nn.MultiheadAttention) else "weight"


def _groups(layer: nn.Module) -> int:
    return layer.groups if isinstance(layer, nn.Conv2d) else 1


def inside_attention(network: nn.Module) -> set[str]:
    """List layers whose weights are used by their parent module without a call."""
    around = [(name, layer) for name, layer in network.named_modules() if type(layer).__name__ in ATTENTION]
    inner = {f"{n}.{child}" for n, layer in around for child, c in layer.named_children() if isinstance(c, nn.Linear)}
    return inner | {name for name, layer in around if isinstance(layer, nn.MultiheadAttention)}


def scalable(layer: Any) -> bool:
    """Whether a layer's output can be scaled and the scale merged into its weights."""
    if type(layer).__name__ not in CHANNELS:
        return False
    folded = _folded(layer)
    return folded.weight is not None and not (isinstance(folded, nn.LayerNorm) and folded.weight.ndim > 1)


def add_scale(layer: Any) -> Fold:
    """Scale and shift a layer's output, initially the identity, by its child `ssf`."""
    folded = _folded(layer)
    layer.ssf = ScaleAndShift(len(folded.weight), CHANNELS[type(layer).__name__], shifts=folded.bias is not None)
    handle = layer.register_forward_hook(_scaled)

    @torch.no_grad()
    def fold() -> None:
        handle.remove()
        folded.weight.mul_(layer.ssf.scale.view(-1, *(1 for _ in folded.weight.shape[1:])))
        if layer.ssf.shift is not None:
            folded.bias.mul_(layer.ssf.scale).add_(layer.ssf.shift)
        del layer.ssf

    return fold


def _scaled(layer: Any, inputs: tuple[Tensor, ...], output: Any) -> Any:
    return (layer.ssf(output[0]), *output[1:]) if isinstance(output, tuple) else layer.ssf(output)


def _folded(layer: Any) -> Any:
    """Return the layer that a scale is merged into: the output projection of attention."""
    last = ATTENTION.get(type(layer).__name__)
    return layer if last is None else getattr(layer, last)
