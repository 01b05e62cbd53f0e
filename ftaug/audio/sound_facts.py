"""Facts about a sound by which results are broken down: duration, format, loudness, noise, clipping and silence."""

from __future__ import annotations

import numpy as np

from ftaug.audio.clip import Clip
from ftaug.audio.io.sound_file import Format, blocks, claimed, format_of, span

FRAME = 0.025  # seconds
QUIET = 10  # percentile of the levels of frames that counts as noise
SOFTEST = 1e-6
SILENT = -60.0
"""Level in dB of full scale up to which a frame is silent."""
CLIPPED = 0.999
"""Share of the largest possible sample from which one counts as clipped, if its neighbor does too."""


def sound_facts(raw: Clip) -> dict[str, float]:
    """Compute the facts of a sound; raises BadData.

    Loudness is the root mean square in dB of full scale; snr is how far it lies above the level of the softest tenth of
    its frames, in dB; clipped is the share of samples at full scale that follow one another; silent is the share of
    frames of 25 ms below -60 dB; missing is how many seconds fewer are decoded than the header claims.
    """
    form, (_, count) = format_of(raw), span(raw)
    size = max(1, round(FRAME * form.rate))
    decoded, clipped, last = 0, 0, np.zeros(0, np.float32)
    energies: list[np.ndarray] = []
    energy = 0.0
    for wave in blocks(raw, size):
        squares = np.square(wave, dtype=np.float64)
        whole = squares[: len(wave) // size * size].reshape(-1, size) if len(wave) >= size else squares[None]
        if len(wave) >= size or not energies:  # a rest that is shorter than a frame counts only if it is all there is
            energies.append(whole.mean(axis=1))
        energy += float(squares.sum())
        at_limit = np.abs(np.concatenate([last, wave])) >= CLIPPED
        clipped += int(np.count_nonzero(at_limit[1:] & at_limit[:-1]))
        decoded, last = decoded + len(wave), wave[-1:]
    levels = _decibels(np.sqrt(np.concatenate(energies)))
    loudness = float(_decibels(np.sqrt(np.float64(energy / decoded))))
    return {
        "seconds": decoded / form.rate,
        "rate": float(form.rate),
        "channels": float(form.channels),
        "loudness": loudness,
        "snr": loudness - float(np.percentile(levels, QUIET)),
        "clipped": clipped / max(1, decoded - 1),
        "silent": float((levels < SILENT).mean()),
        "missing": _missing(raw, form, count, decoded) / form.rate,
    }


def _missing(raw: Clip, form: Format, count: int, decoded: int) -> int:
    """Return how many frames the header claims that cannot be decoded; those behind a part do not count."""
    behind = claimed(raw) - form.frames if count == form.frames else 0
    return behind + count - decoded


def _decibels(amplitude: np.ndarray) -> np.ndarray:
    return np.asarray(20 * np.log10(np.maximum(amplitude, SOFTEST)))
