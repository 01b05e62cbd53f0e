"""Call models of transformers that take waveforms, such as wav2vec 2.0, so that padding changes no answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


def first_convolution(base: Any) -> Any:
    """Return the first convolution of an encoder with what follows it."""
    return base.feature_extractor.conv_layers[0]


def ignore_padding(base: Any) -> None:
    """Replace the group normalization after the first convolution, if there is one, in place."""
    first = first_convolution(base)
    if isinstance(getattr(first, "layer_norm", None), nn.GroupNorm):
        first.layer_norm = UnpaddedNorm(first.layer_norm)


def on_waveforms(model: Any, base: Any, inputs: Tensor) -> tuple[Any, Tensor]:
    """Call a model, or its encoder `base`, on the lengths and the waveforms behind them: float32 (N, 1 + samples).

    Return its output, and which samples are no padding: int64 (N, samples).
    """
    length, wave = inputs[:, :1].long(), inputs[:, 1:]
    mask = (torch.arange(wave.shape[1], device=wave.device) < length).long()
    first = first_convolution(base)
    norm = getattr(first, "layer_norm", None)
    if not isinstance(norm, UnpaddedNorm):
        return model(wave, attention_mask=mask), mask
    with norm.of((length - first.conv.kernel_size[0]) // first.conv.stride[0] + 1):
        return model(wave, attention_mask=mask), mask


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
