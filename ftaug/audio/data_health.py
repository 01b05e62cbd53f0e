"""Audio implementation of `ftaug doctor`: sketches of sounds, and near duplicates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

import cv2
import numpy as np

from ftaug.audio.clip import Clip
from ftaug.audio.datasets.index import SoundSamples
from ftaug.audio.front_ends import front_end
from ftaug.audio.io.resample import length, window
from ftaug.audio.io.sound_file import blocks, format_of, frames, span
from ftaug.audio.io.wav import encoded
from ftaug.audio.picture import whole
from ftaug.data.near_duplicates import close_codes
from ftaug.interfaces.data import Samples
from ftaug.interfaces.data_health import Rows, SheetRow, Sketch

noun = "sound"
SIDE = 16
sketch_size = SIDE * SIDE
RATE, MELS, SECONDS = 8_000, 32, 20.0
"""Rate, bands and length of the spectrogram that a sketch is made of: what most copies still have."""

fact_names = ("seconds", "rate", "channels")
table = "audio_table"
MOST_BITS = 10
"""Bits of 64 in which the codes of candidates differ at most."""
COMPARED = 128
"""Columns of the spectrograms that are compared."""
ALIKE = 0.985
"""Their correlation from which sounds are near duplicates: MP3 leaves 0.995, and notes of like pitch have 0.979."""
FLOOR = 1e-10
"""Smallest energy of a band: low, so that the level does not matter."""
LONGER = 1.05
"""Ratio of durations up to which sounds can be near duplicates."""


def sketch(raw: Clip) -> Sketch:
    """Digest the samples of a sound, and reduce its spectrogram to 16×16 levels; raises BadData."""
    form, (_, count) = format_of(raw), span(raw)
    digest = blake2b(f"{form.rate} ".encode(), digest_size=16)
    for wave in blocks(raw):
        digest.update(wave.tobytes())
    return Sketch(digest.digest(), _levels(raw).ravel(), (count / form.rate, form.rate, form.channels))


def _levels(raw: Clip) -> np.ndarray:
    """Return a small spectrogram without its mean level: uint8 (16, 16), as long as the sound."""
    small = _spectrogram(raw, SIDE, SIDE)
    return np.asarray(np.clip(128 + 16 * (small - small.mean()), 0, 255).round().astype(np.uint8))


def _spectrogram(raw: Clip, bands: int, columns: int) -> np.ndarray:
    """Return a log-mel spectrogram that is stretched to a size: float64 (bands, columns); raises BadData."""
    form = front_end("kaldi", RATE, MELS)
    wave = window(raw, RATE, 0, max(form.frame, min(length(raw, RATE), round(SECONDS * RATE)))).wave
    parts = np.lib.stride_tricks.sliding_window_view(wave, form.frame)[:: form.hop].astype(np.float64)
    real, imaginary = np.split(parts @ form.basis, 2, axis=1)
    logs = np.log(np.maximum((real**2 + imaginary**2) @ form.filters, FLOOR)).T
    method = cv2.INTER_AREA if logs.shape[1] >= columns else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(logs, (columns, bands), interpolation=method))


def candidates(values: Rows) -> np.ndarray:
    """Return pairs of sounds that may be near duplicates, by the signs of their sketches: int64 (pairs, 2)."""
    codes = np.empty(len(values), np.uint64)
    for start in range(0, len(values), 4096):
        block = values[start : start + 4096].reshape(-1, SIDE // 2, 2, SIDE // 2, 2).mean(axis=(2, 4))
        signs = block.reshape(len(block), 64) > np.median(block, axis=(1, 2))[:, None]
        codes[start : start + 4096] = np.packbits(signs, axis=1).view(np.uint64)[:, 0]
    return close_codes(codes[None], codes, MOST_BITS)


def near_duplicate(first: Clip, second: Clip) -> bool:
    """Whether two sounds are copies but for their level, format, sampling rate or slight noise."""
    seconds = [span(clip)[1] / format_of(clip).rate for clip in (first, second)]
    if max(seconds) > LONGER * min(seconds):
        return False
    spectrograms = [_spectrogram(clip, MELS, COMPARED).ravel() for clip in (first, second)]
    return bool(np.corrcoef(spectrograms)[0, 1] >= ALIKE)


def cells(samples: Samples, index: int, folder: Path) -> dict[str, str]:
    """Return the absolute path of a sound; a part of a file, and one in memory, is written as WAV below the folder."""
    clip: Clip = samples.read(index)
    if isinstance(samples, SoundSamples) and samples.spans is None:
        return {"path": str(Path(str(clip.source)).absolute())}
    path = folder / (re.sub(r"\W+", "-", samples.name(index)).strip("-") + ".wav")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(frames(clip, *span(clip)), format_of(clip).rate))
    return {"path": str(path.absolute())}


def sheet(rows: Sequence[SheetRow], title: str, subtitle: str) -> bytes:
    """Draw a contact sheet of sounds or their spectrograms, each row with up to eight, as PNG."""
    from ftaug.documents import contact_sheet

    return contact_sheet.draw_rows(rows, _drawn, title, subtitle)


def _drawn(sample: Clip | np.ndarray) -> np.ndarray:
    return whole(sample) if isinstance(sample, Clip) else sample
