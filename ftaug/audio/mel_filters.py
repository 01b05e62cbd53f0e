"""Mel filter banks: HTK's scale as Kaldi computes it, and Slaney's with equal areas."""

from __future__ import annotations

import numpy as np


def kaldi(mels: int, fft: int, rate: int, low: float = 20.0) -> np.ndarray:
    """Return Kaldi's triangles, linear on the mel scale, from `low` Hz up to the Nyquist frequency.

    float64 (fft / 2 + 1, mels); the Nyquist bin is unused. Source: Kaldi's mel-computations.cc.
    """
    edges = np.linspace(_mel(low), _mel(rate / 2), mels + 2)
    bins = _mel(np.arange(fft // 2) * rate / fft)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.pad(np.maximum(0, np.minimum(rising, falling)), ((0, 1), (0, 0)))


def _mel(hertz: np.ndarray | float) -> np.ndarray:
    return np.asarray(1127 * np.log1p(np.asarray(hertz) / 700))


def slaney(mels: int, fft: int, rate: int, low: float, high: float) -> np.ndarray:
    """Return triangles of equal area between centers on Slaney's mel scale: float64 (fft / 2 + 1, mels).

    The scale is linear up to 1,000 Hz and logarithmic above (Slaney 1998, Auditory Toolbox).
    """
    edges = _slaney_hertz(np.linspace(_slaney_mel(low), _slaney_mel(high), mels + 2))
    bins = np.linspace(0, rate / 2, fft // 2 + 1)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.asarray(np.maximum(0, np.minimum(rising, falling)) * 2 / (edges[2:] - edges[:-2]))


LINEAR_STEP, BREAK, LOG_STEP = 200 / 3, 1000.0, np.log(6.4) / 27


def _slaney_mel(hertz: float) -> float:
    if hertz < BREAK:
        return hertz / LINEAR_STEP
    return float(BREAK / LINEAR_STEP + np.log(hertz / BREAK) / LOG_STEP)


def _slaney_hertz(mels: np.ndarray) -> np.ndarray:
    above = BREAK * np.exp(LOG_STEP * (mels - BREAK / LINEAR_STEP))
    return np.where(mels < BREAK / LINEAR_STEP, mels * LINEAR_STEP, above)
