"""The spectrogram of packed sounds, as the first module of a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ftaug.audio.banded_product import BandedProduct
from ftaug.audio.front_ends import front_end
from ftaug.audio.packed import BEGIN, END, boxes, waves
from ftaug.audio.power_spectrum import PowerSpectrum

FLOORS = {"natural": 1.1920928955078125e-07, "whisper": 1e-10, "decibel": 1e-10}
"""Smallest energy of a band before the logarithm: Kaldi's is the rounding error of float32."""

WHISPER_RANGE = 8.0
"""Powers of ten below the loudest band of a sound that Whisper's features cover."""


class LogMel(nn.Module):
    """Compute normalized log-mel spectrograms of packed sounds, with their masks: padding and masked parts are 0.

    With `normalized` in the preprocessing, mean, std and the value of padding are those, and a frame is one of the
    sound if all of it is, as feature extractors of transformers have it. Without a value, padding is silence that is
    heard, as Whisper does. Exports have no masks, which are of training.
    """

    centers: Tensor
    bands: Tensor

    def __init__(self, preprocessing: Mapping[str, Any]) -> None:
        super().__init__()
        samples, mels = preprocessing["samples"], preprocessing["mels"]
        form = front_end(preprocessing["front_end"], preprocessing["rate"], mels)
        self.form, self.channels, self.count = form, preprocessing["channels"], form.frames(samples)
        normalized = preprocessing.get("normalized") or {"mean": form.mean, "std": form.std, "padding": 0.0}
        self.mean, self.std, self.padding = (normalized[key] for key in ("mean", "std", "padding"))
        self.reach = form.frame / 2 if "normalized" in preprocessing else 0.0
        self.power_spectrum = PowerSpectrum(form)
        self.filters = BandedProduct(torch.from_numpy(form.filters).float())
        self.register_buffer("centers", torch.from_numpy(form.centers(samples)).float(), persistent=False)
        self.register_buffer("bands", (torch.arange(mels) + 0.5) / mels, persistent=False)

    def forward(self, packed: Tensor) -> Tensor:
        """Map packed sounds (N, HEADER + samples) to float32 (N, channels, mels, frames)."""
        device = packed.device.type
        if torch.is_autocast_enabled(device):  # a spectrum in bfloat16 would be noise below -48 dB
            with torch.autocast(device, enabled=False):
                return self.forward(packed)
        sounding = self._between(packed[:, BEGIN, None], self._end(packed))
        if self.padding is None:
            features = self._features(waves(packed), torch.ones_like(sounding))
        else:
            features = torch.where(sounding[:, :, None], self._features(waves(packed), sounding), self.padding)
        if not torch.compiler.is_exporting():
            features = torch.where(self._masked(boxes(packed)), 0, features)
        spectrograms = features.transpose(1, 2)
        return spectrograms[:, None].expand(-1, self.channels, -1, -1)

    def _end(self, packed: Tensor) -> Tensor:
        """Return where frames must be centered before: (N, 1); with `reach`, those that lie in the sound as a whole."""
        if not self.reach:
            return packed[:, END, None]
        return packed[:, END, None].clamp_min(self.form.frame) - self.reach + 0.5

    def _features(self, wave: Tensor, sounding: Tensor) -> Tensor:
        """Compute normalized features (N, frames, mels)."""
        if self.form.centered:
            wave = pad(wave[:, None], (self.form.frame // 2,) * 2, mode="reflect")[:, 0]
        energies = self.filters(self.power_spectrum(wave, self.count)).clamp_min(FLOORS[self.form.log])
        if self.form.log == "whisper":
            return self._whisper(energies.log10(), sounding)
        features = energies.log() if self.form.log == "natural" else 10 * energies.log10()
        normalized: Tensor = (features - self.mean) / self.std
        return normalized

    def _whisper(self, logarithms: Tensor, sounding: Tensor) -> Tensor:
        loudest = torch.where(sounding[:, :, None], logarithms, -10.0).amax(dim=(1, 2), keepdim=True)
        features: Tensor = (torch.maximum(logarithms, loudest - WHISPER_RANGE) + 4) / 4
        return features

    def _between(self, first: Tensor, last: Tensor) -> Tensor:
        """Whether the middle of each frame lies in a part of the window: (…, frames)."""
        return (self.centers >= first) & (self.centers < last)

    def _masked(self, masks: Tensor) -> Tensor:
        """Whether a value is masked: (N, frames, mels)."""
        start, stop, low, high = masks[..., None].unbind(2)
        times = self._between(start, stop).float()
        bands = ((self.bands >= low) & (self.bands < high)).float()
        return times.transpose(1, 2) @ bands > 0  # as a product: a tenth of the time of `any` over the masks
