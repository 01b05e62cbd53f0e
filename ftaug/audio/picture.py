"""Pictures of spectrograms, for people to look at."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from ftaug.audio.clip import Clip
from ftaug.audio.front_ends import front_end
from ftaug.audio.io.resample import length, window
from ftaug.audio.packed import pack

RANGE = (-1.3, 1.0)
"""Normalized values from the darkest to the lightest color."""
HIDDEN = (128, 128, 128)
"""Color of what is padding or masked."""
FLATTEST = 0.6
"""Height of a picture in its width from which bands are drawn several times as high as frames are wide."""
LONGEST = 10.0  # seconds of a sound that a report shows
REPORTED_RATE = 16_000
REPORTED = {"front_end": "kaldi", "rate": REPORTED_RATE, "mels": 64, "channels": 1}


def spectrograms(packed: np.ndarray, preprocessing: Mapping[str, Any]) -> list[np.ndarray]:
    """Draw packed sounds (n, HEADER + samples) as the model sees them: uint8 (height, frames, 3), low bands below."""
    return [_colored(each) for each in values_of(packed, preprocessing)]


def values_of(packed: np.ndarray, preprocessing: Mapping[str, Any]) -> np.ndarray:
    """Compute the normalized spectrograms of packed sounds: float32 (n, mels, frames)."""
    import torch

    module = _log_mel(tuple(sorted(_plain(preprocessing).items())))
    return np.asarray(module(torch.from_numpy(packed))[:, 0].numpy())


def band_centers(preprocessing: Mapping[str, Any]) -> np.ndarray:
    """Return the frequencies of the bands that are drawn, in Hz, ascending: float64 (mels,)."""
    form = _plain(preprocessing)
    return front_end(form["front_end"], form["rate"], form["mels"]).band_centers(form["rate"])


def _plain(preprocessing: Mapping[str, Any]) -> dict[str, Any]:
    return {key: preprocessing.get(key, REPORTED.get(key)) for key in (*REPORTED, "samples")}


@lru_cache(maxsize=4)
def _log_mel(preprocessing: tuple[tuple[str, Any], ...]) -> Any:
    from ftaug.audio.log_mel import LogMel

    return LogMel(dict(preprocessing))


def _colored(values: np.ndarray) -> np.ndarray:
    low, high = RANGE
    levels = np.clip(255 * (values - low) / (high - low), 0, 255).astype(np.uint8)
    picture = cv2.applyColorMap(levels, cv2.COLORMAP_MAGMA)[..., ::-1].copy()
    picture[values == 0] = HIDDEN
    bands, frames = values.shape
    return picture[::-1].repeat(max(1, round(FLATTEST * frames / bands)), axis=0)


def whole(clip: Clip) -> np.ndarray:
    """Draw a sound, of which at most ten seconds: uint8 (height, frames, 3); raises BadData, MissingInput."""
    rate = REPORTED_RATE
    samples = max(rate // 20, min(length(clip, rate), round(LONGEST * rate)))
    part = window(clip, rate, 0, samples)
    return spectrograms(pack(*part)[None], {**REPORTED, "samples": samples})[0]
