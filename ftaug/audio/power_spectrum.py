"""The power spectrum of the frames of waveforms, by a fast Fourier transform or, in exports, a matrix product."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ftaug.audio.front_ends import PREEMPHASIS, FrontEnd


class PowerSpectrum(nn.Module):
    """Compute the power spectrum of each frame of waveforms.

    Exported, it is a product with `FrontEnd.basis`, equal up to rounding: ONNX Runtime takes half as long again for its
    operators of Fourier transforms.
    """

    window: Tensor
    basis: Tensor

    def __init__(self, form: FrontEnd) -> None:
        super().__init__()
        self.form = form
        window = torch.from_numpy(form.window).float()
        self.register_buffer("window", pad(window, (0, form.fft - form.frame)), persistent=False)
        self.register_buffer("basis", torch.from_numpy(form.basis).float(), persistent=False)

    def forward(self, wave: Tensor, count: int) -> Tensor:
        """Map waveforms (N, samples) to float32 (N, count, bins), of the first frames."""
        if torch.compiler.is_exporting():
            frames = self._frames(wave, self.form.frame, count)
            spectrum = frames.reshape(-1, self.form.frame) @ self.basis  # as one matrix: a tenth of the time of a batch
            real, imaginary = spectrum.view(wave.shape[0], count, -1).chunk(2, dim=2)
        else:
            transformed = torch.fft.rfft(self._windowed(wave, count))
            real, imaginary = transformed.real, transformed.imag
        return real.square() + imaginary.square()

    def _windowed(self, wave: Tensor, count: int) -> Tensor:
        """Return the windowed frames, padded to the length of the transform: (N, count, fft)."""
        rest = self.form.fft - self.form.frame
        if not self.form.emphasized:
            return self._frames(pad(wave, (0, rest)), self.form.fft, count) * self.window
        # The first sample of a frame is its own predecessor, but the window is 0 there.
        differences = pad(torch.sub(wave[:, 1:], wave[:, :-1], alpha=PREEMPHASIS), (1, rest))
        mean = self._frames(wave, self.form.frame, count).mean(dim=2, keepdim=True) * (1 - PREEMPHASIS)
        return (self._frames(differences, self.form.fft, count) - mean).mul_(self.window)

    def _frames(self, wave: Tensor, length: int, count: int) -> Tensor:
        """Return overlapping frames: (N, count, length)."""
        hop, hops = self.form.hop, -(-length // self.form.hop)
        if not torch.compiler.is_exporting():
            return wave.unfold(1, length, hop)[:, :count]
        # ONNX has no views: it would gather every sample by its index, in half of the time of all.
        steps = pad(wave, (0, hops * hop))[:, : (count + hops - 1) * hop].reshape(wave.shape[0], -1, hop)
        return torch.cat([steps[:, k : k + count, : length - k * hop] for k in range(hops)], dim=2)
