"""Normalized waveforms of packed sounds, as the first module of a model that takes no spectrograms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ftaug.audio.packed import BEGIN, END, waves

SMALLEST_VARIANCE = 1e-7
"""What the feature extractors of transformers add to the variance of a sound."""


class Waveform(nn.Module):
    """Return the waveforms of packed sounds behind their lengths; padding is 0.

    `preprocessing["waveform"]` says whether each sound gets mean 0 and variance 1, and the fewest samples that the
    network takes: shorter sounds are that long, with silence at the end.
    """

    def __init__(self, preprocessing: Mapping[str, Any]) -> None:
        super().__init__()
        self.normalize: bool = preprocessing["waveform"]["normalize"]
        self.fewest: int = preprocessing["waveform"]["fewest"]

    def forward(self, packed: Tensor) -> Tensor:
        """Map packed sounds (N, HEADER + samples) to float32 (N, 1 + samples)."""
        begin, end, wave = packed[:, BEGIN, None], packed[:, END, None], waves(packed)
        place = torch.arange(wave.shape[1], device=wave.device)
        inside = (place >= begin) & (place < end)
        if self.normalize:
            count = (end - begin).clamp_min(1)
            mean = torch.where(inside, wave, 0).sum(dim=1, keepdim=True) / count
            variance = torch.where(inside, (wave - mean).square(), 0).sum(dim=1, keepdim=True) / count
            wave = (wave - mean) * (variance + SMALLEST_VARIANCE).rsqrt()
        return torch.cat([end.clamp_min(self.fewest), torch.where(inside, wave, 0)], dim=1)
