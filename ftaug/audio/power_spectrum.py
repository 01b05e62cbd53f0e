"""The power spectrum of the frames of waveforms, by a fast Fourier transform or, in exports, by matrix products."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ftaug.audio.front_ends import PREEMPHASIS, FrontEnd


class PowerSpectrum(nn.Module):
    """Compute the power spectrum of each frame of waveforms.

    Exported, it is two products with `FrontEnd.folded_basis`, equal up to rounding: where a frame begins does not
    change the power, and around the middle of a window the real part is of sums of samples alone, the imaginary part of
    differences. ONNX Runtime takes more than twice as long for its operator STFT.
    """

    window: Tensor
    cosines: Tensor
    sines: Tensor

    def __init__(self, form: FrontEnd) -> None:
        super().__init__()
        self.form = form
        window = torch.from_numpy(form.window).float()
        cosines, sines = (torch.from_numpy(part).float() for part in form.folded_basis)
        self.register_buffer("window", pad(window, (0, form.fft - form.frame)), persistent=False)
        self.register_buffer("cosines", cosines, persistent=False)
        self.register_buffer("sines", sines, persistent=False)

    def forward(self, wave: Tensor, count: int) -> Tensor:
        """Map waveforms (N, samples) to float32 (N, count, bins), of the first frames."""
        if torch.compiler.is_exporting():
            real, imaginary = self._folded(wave, count)
            return (real * real + imaginary * imaginary).view(wave.shape[0], count, -1)  # `square` takes twice the time
        squares = torch.view_as_real(torch.fft.rfft(self._windowed(wave, count))).square()
        return squares[..., 0] + squares[..., 1]  # a third of the time of squares of strided parts

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
        """Return overlapping frames as a view: (N, count, length)."""
        return wave.unfold(1, length, self.form.hop)[:, :count]

    def _folded(self, wave: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Return the real and imaginary parts of the spectra, as if a frame began at its middle: (N · count, bins)."""
        frames, last = self._copied_frames(wave, count), 1 + self.form.weighted
        samples = frames[:, 1:last]
        if self.form.emphasized:
            mean = frames.mean(dim=1, keepdim=True) * (1 - PREEMPHASIS)
            samples = samples - PREEMPHASIS * frames[:, : last - 1] - mean
        half = len(self.cosines)
        before, behind = samples[:, :half], samples[:, -half:].flip(1)
        return (before + behind) @ self.cosines, (before - behind) @ self.sines

    def _copied_frames(self, wave: Tensor, count: int) -> Tensor:
        """Return overlapping frames of all waveforms: (N · count, frame).

        As one matrix: its product takes a tenth of the time of those of a batch. ONNX has no views: it would gather
        every sample by its index, in half of the time of all.
        """
        hop, length = self.form.hop, self.form.frame
        hops = -(-length // hop)
        samples = (count + hops - 1) * hop
        steps = pad(wave, (0, samples - wave.shape[1])).reshape(wave.shape[0], -1, hop)
        parts = [steps[:, k : k + count, : length - k * hop] for k in range(hops)]
        return torch.cat(parts, dim=2).reshape(-1, length)
