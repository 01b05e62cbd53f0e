"""Classifiers of transformers as networks from what the first module of a model gives to logits."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, cast

import torch
from torch import Tensor, nn

from ftaug.interfaces.model import CannotCut


class _Uncut(nn.Module):
    """A network whose features are not stored."""

    def halves(self, learning: Collection[str]) -> NoReturn:
        """Raise CannotCut."""
        raise CannotCut("the networks of transformers for sounds are not split")


class OnSpectrograms(_Uncut):
    """Call a model that takes spectrograms, such as AST."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, spectrograms: Tensor) -> Tensor:
        """Map float32 (N, 1, mels, frames) to logits (N, classes)."""
        return cast(Tensor, self.model(spectrograms[:, 0].transpose(1, 2)).logits)


class OnWaveforms(_Uncut):
    """Call a model that takes waveforms, such as wav2vec 2.0, so that padding changes no answer."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        warnings.filterwarnings("ignore", message="Support for mismatched key_padding_mask")  # in WavLM
        self.model = model
        first = model.base_model.feature_extractor.conv_layers[0]
        self.kernel, self.stride = first.conv.kernel_size[0], first.conv.stride[0]
        if isinstance(getattr(first, "layer_norm", None), nn.GroupNorm):
            first.layer_norm = UnpaddedNorm(first.layer_norm)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map float32 (N, 1 + samples), the lengths before the waveforms, to logits (N, classes)."""
        length, wave = inputs[:, :1].long(), inputs[:, 1:]
        mask = torch.arange(wave.shape[1], device=wave.device) < length
        norm = getattr(self.model.base_model.feature_extractor.conv_layers[0], "layer_norm", None)
        if not isinstance(norm, UnpaddedNorm):
            return cast(Tensor, self.model(wave, attention_mask=mask.long()).logits)
        with norm.of((length - self.kernel) // self.stride + 1):
            return cast(Tensor, self.model(wave, attention_mask=mask.long()).logits)


class UnpaddedNorm(nn.Module):
    """Group normalization of each channel over the frames of a sound that are not padding.

    The one of torch has the statistics of padding, too, so that a sound's features depend on the length of its batch.
    """

    def __init__(self, norm: nn.GroupNorm) -> None:
        super().__init__()
        self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps
        self.frames: Tensor | None = None

    @contextmanager
    def of(self, frames: Tensor) -> Iterator[None]:
        """Set the number of frames of each sound, int64 (N, 1), in the body."""
        self.frames = frames
        try:
            yield
        finally:
            self.frames = None

    def forward(self, features: Tensor) -> Tensor:
        """Normalize features (N, channels, frames)."""
        assert self.frames is not None
        count = self.frames[:, None]
        values = features.float()
        inside = torch.arange(values.shape[2], device=values.device) < count
        mean = torch.where(inside, values, 0).sum(dim=2, keepdim=True) / count
        variance = torch.where(inside, (values - mean).square(), 0).sum(dim=2, keepdim=True) / count
        scaled = (values - mean) * (variance + self.eps).rsqrt()
        return (scaled * self.weight[:, None] + self.bias[:, None]).to(features.dtype)
