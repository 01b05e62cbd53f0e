"""Augmentations that are functions of the waveform: noise, a background, clipping, μ-law."""

from __future__ import annotations

import math
import os
from functools import lru_cache, partial
from pathlib import Path
from statistics import NormalDist
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from ftaug.audio import augmentation
from ftaug.audio.augmentations.transforms import DecibelRange, OpProbability, Sound, WaveFunction, decibels
from ftaug.audio.clip import Clip
from ftaug.audio.io.open_sound import SUFFIXES
from ftaug.audio.io.resample import length, window
from ftaug.audio.io.sound_file import is_silent
from ftaug.augment.transform import between, happens
from ftaug.config.types import FilePath, Share, Wording
from ftaug.data.folders.named import below
from ftaug.errors import BadData, MissingInput

SNR = {"snr": ((60.0, 60.0), (-5.0, 10.0))}
Color = Literal["white", "pink", "brown"]
SLOPES = {"white": 0.0, "pink": 0.5, "brown": 1.0}
"""By which power of the frequency the amplitude of noise falls."""

Bits = Annotated[int, Field(ge=2, le=16), Wording("a whole number from 2 to 16")]


@augmentation.register(severity=SNR, standard=True)
def noise(
    sound: Sound,
    rng: np.random.Generator,
    *,
    snr: DecibelRange = (10.0, 40.0),
    color: Color = "white",
    probability: OpProbability = 0.5,
) -> WaveFunction | None:
    """Add noise at a signal-to-noise ratio, uniform between two.

    Settings:
        snr: the smallest and the largest ratio in dB, of the power of the sound to that of the noise, without padding
        color: white (equal power at all frequencies), pink (3 dB less an octave) or brown (6 dB less an octave)

    A silent sound stays silent.
    """
    ratio, seed = between(rng, *snr), int(rng.integers(2**63))
    if not happens(rng, probability):
        return None
    return WaveFunction(partial(_with_noise, ratio, SLOPES[color], seed)).with_params(snr=ratio)


def _with_noise(ratio: float, slope: float, seed: int, wave: np.ndarray) -> np.ndarray:
    added = white_noise(seed, len(wave))
    if slope:
        spectrum = np.fft.rfft(added)
        added = np.fft.irfft(spectrum / np.maximum(1, np.arange(len(spectrum))) ** slope, len(wave))
    return added_at(ratio, added, wave)


def white_noise(seed: int, count: int) -> np.ndarray:
    """Draw normal noise, float32 (count,): by quantiles of 16 random bits, in a third of the time of NumPy's."""
    words = np.random.PCG64(seed).random_raw(-(-count // 4))
    return _normal_quantiles().take(words.view(np.uint16)[:count], mode="clip")  # without a check


@lru_cache(maxsize=1)
def _normal_quantiles() -> np.ndarray:
    """Return the quantiles of the normal distribution at the middles of 2^16 equal probabilities: float32 (65536,)."""
    inverse, count = NormalDist().inv_cdf, 1 << 16
    return np.array([inverse((number + 0.5) / count) for number in range(count)], np.float32)


def added_at(ratio: float, added: np.ndarray, wave: np.ndarray) -> np.ndarray:
    """Add a second waveform at a ratio of powers in dB: float32 (samples,)."""
    power, other = (float(np.einsum("i,i", part, part)) for part in (wave, added))
    if power == 0 or other == 0:
        return wave
    factor = math.sqrt(power / other) * decibels(-ratio)
    scaled = (factor * added).astype(np.float32, copy=False)
    scaled += wave
    return scaled


@augmentation.register(severity=SNR)
def background(
    sound: Sound,
    rng: np.random.Generator,
    *,
    path: FilePath,
    snr: DecibelRange = (5.0, 30.0),
    probability: OpProbability = 0.5,
) -> WaveFunction | None:
    """Add a random part of a random sound of a folder at a signal-to-noise ratio, uniform between two.

    Settings:
        path: a folder with sounds, such as recordings of rooms and streets, at any depth
        snr: the smallest and the largest ratio in dB, of the power of the sound to that of the background

    A background that is too short is repeated. Files are drawn in the order of their paths. The folder belongs to the
    experiment by its files' names and sizes.
    """
    ratio, chosen, place = between(rng, *snr), rng.random(), rng.random()
    if not happens(rng, probability):
        return None
    files = background_files(path)
    file = files[int(chosen * len(files))]
    function = WaveFunction(partial(_with_background, ratio, file, sound.rate, place))
    return function.with_params(snr=ratio, file=Path(file).name)


@lru_cache(maxsize=16)
def background_files(path: Path) -> tuple[str, ...]:
    """List the sounds of a folder in the order of their paths; raises MissingInput."""
    if not path.is_dir():
        raise MissingInput(f"background.path: no folder {path}")
    files = below(path, SUFFIXES)
    if not files:
        raise MissingInput(f"background.path: {path} holds no sounds ({' '.join(map(bytes.decode, SUFFIXES))})")
    return tuple(map(os.fsdecode, files))


def _with_background(ratio: float, file: str, rate: int, place: float, wave: np.ndarray) -> np.ndarray:
    clip = Clip(file)
    try:
        total = length(clip, rate)
        first = int(place * (max(0, total - len(wave)) + 1))
        part = window(clip, rate, first, min(total, len(wave))).wave
        if not part.any() and is_silent(clip):
            raise BadData("is silent: all its samples are zero; delete it")
    except BadData as error:
        raise BadData(f"background {file}: {error}") from None
    return added_at(ratio, np.resize(part, len(wave)), wave)


@augmentation.register(severity={"share": (0.0, 0.5)})
def clipping(
    sound: Sound, rng: np.random.Generator, *, share: Share = 0.1, probability: OpProbability = 0.3
) -> WaveFunction | None:
    """Clip the loudest samples, as a recording with too much gain does.

    Settings:
        share: the largest share of the samples that are clipped; uniform up to it
    """
    clipped = between(rng, 0, share)
    if not happens(rng, probability):
        return None
    return WaveFunction(partial(_clipped, clipped)).with_params(share=clipped)


def _clipped(share: float, wave: np.ndarray) -> np.ndarray:
    most = np.quantile(np.abs(wave), 1 - share).astype(np.float32)
    return np.asarray(np.clip(wave, -most, most))


@augmentation.register(severity={"bits": (16, 3)})
def mu_law(
    sound: Sound, rng: np.random.Generator, *, bits: Bits = 8, probability: OpProbability = 0.2
) -> WaveFunction | None:
    """Round the samples as the μ-law of telephones does: finely near 0, coarsely where the sound is loud.

    Settings:
        bits: bits of a sample; telephones have 8

    Source: ITU-T G.711 (1972), its continuous form with μ = 255; relative to the loudest sample.
    """
    return WaveFunction(partial(_rounded, bits)).with_params(bits=bits) if happens(rng, probability) else None


MU = 255


def _rounded(bits: int, wave: np.ndarray) -> np.ndarray:
    loudest = float(np.abs(wave).max())
    if loudest == 0:
        return wave
    steps = 2 ** (bits - 1) - 1
    companded = np.log1p(MU * np.abs(wave) / loudest) / np.log1p(MU)
    expanded = np.expm1(np.round(companded * steps) / steps * np.log1p(MU)) / MU
    return np.asarray(np.sign(wave) * expanded * loudest, np.float32)
