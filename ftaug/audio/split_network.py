"""Split networks of transformers for sounds before the first layer that learns, to store what precedes it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

import torch
from torch import Tensor, nn

from ftaug.audio.unpadded import on_waveforms
from ftaug.hub.replace import with_submodules
from ftaug.hub.stages import embeddings_of, stack_of
from ftaug.interfaces.model import CannotCut

POOLED = 2
"""Tokens that the head of AST sees: the class token and the distillation token."""


def split_on_spectrograms(model: Any, learning: Collection[nn.Parameter]) -> tuple[nn.Module, nn.Module]:
    """Split AST: all tokens (N, tokens, width) are stored, for the head alone those that it sees; raises CannotCut."""
    base, prefix = model.base_model, model.base_model_prefix
    name, layers = stack_of(base)
    first = _first_layer_that_learns(model, learning)
    before = with_submodules(base, {name: layers[:first], "layernorm": nn.Identity()})
    after = {f"{prefix}.embeddings": nn.Identity(), f"{prefix}.{name}": layers[first:]}
    return _Tokens(before, POOLED if first == len(layers) else None), _Logits(with_submodules(model, after))


def split_on_waveforms(model: Any, learning: Collection[nn.Parameter]) -> tuple[nn.Module, nn.Module]:
    """Split a network on waveforms: the frames are stored, for the head alone their mean; raises CannotCut."""
    if getattr(model.config, "use_weighted_layer_sum", False):
        raise CannotCut("the head sees the outputs of all layers (use_weighted_layer_sum in config.json)")
    first = _first_layer_that_learns(model, learning)
    if first == len(model.base_model.encoder.layers):
        if any(isinstance(module, nn.Dropout) and module.p for module in model.projector.modules()):
            raise CannotCut("the mean of the frames is stored for the head, in which dropout hides parts of frames")
        return _MeanFrame(model.base_model), nn.Sequential(model.projector, model.classifier)
    return _Frames(_layers_before(model.base_model, first)), _FromFrames(_layers_from(model, first))


def _first_layer_that_learns(model: Any, learning: Collection[nn.Parameter]) -> int:
    """Return the index of the first layer that learns, their number if none does; raises CannotCut for the first."""
    _, layers = stack_of(model.base_model)
    learned = {id(parameter) for parameter in learning}
    of_layers = [{id(parameter) for parameter in layer.parameters()} for layer in layers]
    first = next((index for index, layer in enumerate(of_layers) if learned & layer), len(layers))
    if first == 0 or learned & embeddings_of(model.base_model, set().union(*of_layers)):
        raise CannotCut("what layers give can be stored, and the first layer is trained")
    return first


def _layers_before(base: Any, first: int) -> Any:
    """Return an encoder whose output is that of the layer before `first`."""
    stable = {"encoder.layer_norm": nn.Identity()} if base.config.do_stable_layer_norm else {}
    return with_submodules(base, {"encoder.layers": base.encoder.layers[:first], **stable})


def _layers_from(model: Any, first: int) -> Any:
    """Return a model that takes the frames that layer `first` gets, and their mask in place of that of samples."""
    base, encoder = model.base_model, model.base_model.encoder
    layers = encoder.layers[first:]
    if hasattr(attention := encoder.layers[0].attention, "rel_attn_embed"):
        layers.insert(0, _PositionBias(attention))
    projection = {f"feature_projection.{name}": nn.Identity() for name, _ in base.feature_projection.named_children()}
    norm = {} if base.config.do_stable_layer_norm else {"encoder.layer_norm": nn.Identity()}
    after = {
        "feature_extractor": _Transposed(),
        "encoder.pos_conv_embed": _Nothing(),
        "encoder.layers": layers,
        **projection,
        **norm,
    }
    rest = with_submodules(model, {f"{model.base_model_prefix}.{name}": module for name, module in after.items()})
    for part in (rest, rest.base_model):
        part._get_feature_vector_attention_mask = _of_frames
    return rest


def _of_frames(length: int, mask: Tensor, add_adapter: None = None) -> Tensor:
    """Return the mask of frames, in place of the function that computes it from that of samples."""
    return mask


class _Tokens(nn.Module):
    """Tokens of AST from spectrograms (N, 1, mels, frames): the first `count`, or all."""

    def __init__(self, base: Any, count: int | None) -> None:
        super().__init__()
        self.base, self.count = base, count

    def forward(self, spectrograms: Tensor) -> Tensor:
        tokens = self.base(spectrograms[:, 0].transpose(1, 2)).last_hidden_state
        return cast(Tensor, tokens[:, : self.count])


class _Logits(nn.Module):
    """Logits of a model that takes what is stored."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, features: Tensor) -> Tensor:
        return cast(Tensor, self.model(features).logits)


class _Frames(nn.Module):
    """Frames of waveforms, float (N, frames, width + 1): the last value is 1, or 0 for padding."""

    def __init__(self, base: Any) -> None:
        super().__init__()
        self.base = base

    def forward(self, inputs: Tensor) -> Tensor:
        output, mask = on_waveforms(self.base, self.base, inputs)
        states = output.last_hidden_state
        inside = self.base._get_feature_vector_attention_mask(states.shape[1], mask)
        return torch.cat([states, inside[..., None].to(states.dtype)], dim=2)


class _MeanFrame(_Frames):
    """Mean of the frames that are no padding, float (N, width): the head is linear, so it may see the mean."""

    def forward(self, inputs: Tensor) -> Tensor:
        frames = super().forward(inputs)
        states, inside = frames[..., :-1].float(), frames[..., -1:].float()
        return (states * inside).sum(dim=1) / inside.sum(dim=1)


class _FromFrames(nn.Module):
    """Logits of frames, as `_Frames` gives them."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, frames: Tensor) -> Tensor:
        return cast(Tensor, self.model(frames[..., :-1], attention_mask=frames[..., -1] > 0).logits)


class _Transposed(nn.Module):
    """In place of the convolutions: the frames, as convolutions give them."""

    def forward(self, frames: Tensor) -> Tensor:
        return frames.transpose(1, 2)


class _Nothing(nn.Module):
    """In place of positions, which the frames have."""

    def forward(self, frames: Tensor) -> Tensor:
        return frames.new_zeros(())


class _PositionBias(nn.Module):
    """In place of the layers before: the position bias that the first layer of WavLM computes for all of them."""

    def __init__(self, attention: Any) -> None:
        super().__init__()
        self.attention = attention

    def forward(self, frames: Tensor, **named: Any) -> tuple[Tensor, Tensor]:
        count, length, _ = frames.shape
        return frames, self.attention.compute_bias(length, length).repeat(count, 1, 1)
