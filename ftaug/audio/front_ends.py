"""Log-mel spectrograms with exact constants: Kaldi's, those of AST, of Whisper and of PANNs (Slaney)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

import numpy as np

from ftaug.audio import mel_filters

Name = Literal["kaldi", "ast", "whisper", "slaney"]
Log = Literal["natural", "whisper", "decibel"]


PREEMPHASIS = 0.97
"""Share of the sample before it that Kaldi subtracts from each sample of a frame."""


@dataclass(frozen=True)
class FrontEnd:
    """The spectrum of windowed frames of a waveform, mel filters on its power, and a logarithm."""

    window: np.ndarray  # float64 (frame,)
    fft: int  # length of the Fourier transform of a frame, which is padded with zeros at its end
    emphasized: bool  # whether the mean is subtracted from a frame, then PREEMPHASIS applied
    filters: np.ndarray  # float64 (bins, mels)
    hop: int  # samples
    centered: bool  # whether the first frame is centered on the first sample, the sound mirrored before it
    log: Log
    mean: float  # of log-mels, by which they are normalized
    std: float

    @property
    def frame(self) -> int:
        """Length of a frame in samples."""
        return len(self.window)

    @cached_property
    def basis(self) -> np.ndarray:
        """All that happens to a frame as one matrix: float64 (frame, 2 · bins), for real and imaginary parts."""
        windowed_dft: np.ndarray = self.window[:, None] * dft(self.frame, self.fft)
        if not self.emphasized:
            return windowed_dft
        centering = np.eye(self.frame) - 1 / self.frame
        emphasis = np.eye(self.frame) - PREEMPHASIS * np.eye(self.frame, k=1)
        emphasis[0, 0] -= PREEMPHASIS  # the first sample is its own predecessor
        return np.asarray(centering @ emphasis @ windowed_dft)

    @property
    def weighted(self) -> int:
        """Number of samples that the window does not multiply by 0; they begin behind the first, which it does."""
        return int(np.count_nonzero(self.window))

    @cached_property
    def folded_basis(self) -> tuple[np.ndarray, np.ndarray]:
        """Cosines and sines of the windowed DFT around the middle of the `weighted` samples: float64 (half, bins).

        The cosines are for the sums of two samples equally far from the middle, the sines for their differences.
        """
        half = (self.weighted + 1) // 2
        distances = (self.weighted - 1) / 2 - np.arange(half)
        angles = 2 * np.pi / self.fft * np.outer(distances, np.arange(self.fft // 2 + 1))
        weights = self.window[1 : half + 1] * np.where(distances, 1, 0.5)  # the middle is added to itself
        return weights[:, None] * np.cos(angles), weights[:, None] * np.sin(angles)

    def frames(self, samples: int) -> int:
        """Return the number of frames of a waveform."""
        return max(1, samples // self.hop if self.centered else 1 + (samples - self.frame) // self.hop)

    def centers(self, samples: int) -> np.ndarray:
        """Return the sample at the middle of each frame: float64 (frames,)."""
        first = 0 if self.centered else self.frame / 2
        return np.arange(self.frames(samples)) * self.hop + first

    def band_centers(self, rate: int) -> np.ndarray:
        """Return the mean frequency of each band in Hz, weighted by its filter: float64 (mels,), ascending."""
        hertz = np.linspace(0, rate / 2, len(self.filters))
        weights = self.filters.sum(axis=0)
        centers = hertz @ self.filters / np.where(weights > 0, weights, 1)
        return np.maximum.accumulate(centers)


@lru_cache(maxsize=8)
def front_end(name: str, rate: int, mels: int) -> FrontEnd:
    """Return a front end by its name, computed once; frames are of 25 or 32 ms, every 10 ms."""
    return FRONT_ENDS[name](rate, mels)


def _kaldi(rate: int, mels: int) -> FrontEnd:
    """Compute Kaldi's filter banks without dither: Povey's window, samples in -1…1."""
    return _emphasized(rate, mels, np.hanning(rate * 25 // 1000) ** 0.85)


def _ast(rate: int, mels: int) -> FrontEnd:
    """Compute the features of AST (Gong et al. 2021): as Kaldi's, with a Hann window."""
    return _emphasized(rate, mels, np.hanning(rate * 25 // 1000))


AUDIOSET_MEAN, AUDIOSET_STD = -4.2677393, 4.5689974
"""Mean and standard deviation of AST's features over AudioSet; AST divides by twice the latter."""


def _emphasized(rate: int, mels: int, window: np.ndarray) -> FrontEnd:
    fft = 1 << (len(window) - 1).bit_length()
    filters = mel_filters.kaldi(mels, fft, rate)
    return FrontEnd(window, fft, True, filters, rate // 100, False, "natural", AUDIOSET_MEAN, 2 * AUDIOSET_STD)


def _whisper(rate: int, mels: int) -> FrontEnd:
    """Compute the features of Whisper (Radford et al. 2022), which are relative to the loudest part of a sound."""
    frame = rate * 25 // 1000
    filters = mel_filters.slaney(mels, frame, rate, 0, rate / 2)
    return FrontEnd(_hann(frame), frame, False, filters, rate // 100, True, "whisper", 0.0, 1.0)


def _slaney(rate: int, mels: int) -> FrontEnd:
    """Compute the features of PANNs (Kong et al. 2020) in decibels: frames of 32 ms, 50 to 14,000 Hz."""
    frame = 1 << (rate * 32 // 1000 - 1).bit_length()
    filters = mel_filters.slaney(mels, frame, rate, 50, min(14_000, rate / 2))
    return FrontEnd(_hann(frame), frame, False, filters, rate // 100, True, "decibel", -30.0, 20.0)


def _hann(length: int) -> np.ndarray:
    """Return the periodic Hann window."""
    return np.hanning(length + 1)[:-1]


def dft(frame: int, fft: int) -> np.ndarray:
    """Return the real and imaginary parts of a DFT of zero-padded frames as a matrix: (frame, 2 · (fft / 2 + 1))."""
    angles = 2 * np.pi / fft * (np.outer(np.arange(frame), np.arange(fft // 2 + 1)) % fft)
    return np.concatenate([np.cos(angles), -np.sin(angles)], axis=1)


FRONT_ENDS: dict[str, Callable[[int, int], FrontEnd]] = {
    "kaldi": _kaldi,
    "ast": _ast,
    "whisper": _whisper,
    "slaney": _slaney,
}
