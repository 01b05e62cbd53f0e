"""The center frequency of a sound, which says whether a sampling rate keeps what matters of it."""

from __future__ import annotations

import numpy as np

from ftaug.audio.clip import Clip
from ftaug.audio.io.sound_file import format_of, frames, span

FRAME = 1024  # samples


def center_frequency(wave: np.ndarray, rate: int) -> float:
    """Return the frequency in Hz below which half of the energy of a waveform lies, without its mean; 0 for silence.

    `wave` is (samples,), `rate` in Hz. Frames of 1024 samples overlap by half, with a Hann window (Welch 1967).
    """
    padded = np.pad(np.asarray(wave, np.float64), (0, max(0, FRAME - len(wave))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[:: FRAME // 2]
    windowed = (frames - frames.mean(axis=1, keepdims=True)) * np.hanning(FRAME)
    energy = np.cumsum(np.square(np.abs(np.fft.rfft(windowed))).sum(axis=0))
    return float(np.searchsorted(energy, energy[-1] / 2) * rate / FRAME) if energy[-1] > 0 else 0.0


def center_of(clip: Clip, seconds: float) -> float:
    """Return the center frequency in Hz of at most so many seconds of a clip; raises BadData, MissingInput."""
    rate = format_of(clip).rate
    first, count = span(clip)
    return center_frequency(frames(clip, first, min(count, round(seconds * rate))), rate)
