"""Augmentations that multiply the spectrum: level, polarity, equalizer, band limits, a telephone, a room."""

from __future__ import annotations

from functools import partial

import numpy as np

from ftaug.audio import augmentation
from ftaug.audio.augmentations.transforms import (
    DecibelRange,
    Filter,
    FrequencyRange,
    OpProbability,
    SecondsRange,
    Sound,
    decibels,
    level,
)
from ftaug.augment.transform import between, happens
from ftaug.config.types import Count, NonNegative, Share

SLOPE = 4
"""Order of the Butterworth responses of band limits: 24 dB an octave."""

TELEPHONE = (300.0, 3400.0)
BANDS = (50.0, 8000.0)  # Hz between which the bands of the equalizer lie


@augmentation.register(severity={"decibels": ((0.0, 0.0), (-24.0, 12.0))}, standard=True)
def gain(
    sound: Sound,
    rng: np.random.Generator,
    *,
    decibels: DecibelRange = (-6.0, 6.0),
    probability: OpProbability = 1.0,
) -> Filter | None:
    """Make the sound louder or softer.

    Settings:
        decibels: the smallest and the largest change in dB, uniform between them; samples beyond ±1 are not clipped
    """
    change = between(rng, *decibels)
    return level(float(10 ** (change / 20))).with_params(decibels=change) if happens(rng, probability) else None


@augmentation.register
def polarity(sound: Sound, rng: np.random.Generator, *, probability: OpProbability = 0.5) -> Filter | None:
    """Turn the waveform upside down, which nobody hears.

    A spectrogram is the same: only networks on the waveform notice it.
    """
    return level(-1.0).with_params(factor=-1.0) if happens(rng, probability) else None


@augmentation.register(severity={"strength": (0.0, 18.0)}, standard=True)
def equalizer(
    sound: Sound,
    rng: np.random.Generator,
    *,
    strength: NonNegative = 6.0,
    bands: Count = 4,
    probability: OpProbability = 1.0,
) -> Filter | None:
    """Raise and lower bands of frequencies, as microphones and loudspeakers do.

    Settings:
        strength: the change of each band is uniform in ± this many dB; between the bands it is interpolated
        bands: the number of bands, equally spaced in octaves from 50 to 8,000 Hz
    """
    changes = rng.uniform(-strength, strength, bands)
    if not happens(rng, probability):
        return None
    values = {f"band {number}": float(change) for number, change in enumerate(changes, 1)}
    return Filter(partial(_equalized, tuple(changes.tolist()))).with_params(**values)


def _equalized(changes: tuple[float, ...], hertz: np.ndarray) -> np.ndarray:
    centers = np.geomspace(*BANDS, len(changes))
    octaves = np.log2(np.maximum(hertz, 1))
    return np.asarray(10 ** (np.interp(octaves, np.log2(centers), changes) / 20))


@augmentation.register(severity={"frequencies": ((8000.0, 8000.0), (500.0, 2000.0))})
def low_pass(
    sound: Sound,
    rng: np.random.Generator,
    *,
    frequencies: FrequencyRange = (2000.0, 7000.0),
    probability: OpProbability = 0.5,
) -> Filter | None:
    """Remove high frequencies, as an old recording or a wall does.

    Settings:
        frequencies: the lowest and the highest cutoff in Hz, where 3 dB are lost; uniform in octaves between them

    24 dB an octave, without a shift in time.
    """
    cutoff = _cutoff(rng, frequencies)
    return Filter(partial(_below, cutoff)).with_params(hertz=cutoff) if happens(rng, probability) else None


@augmentation.register(severity={"frequencies": ((20.0, 20.0), (500.0, 2000.0))})
def high_pass(
    sound: Sound,
    rng: np.random.Generator,
    *,
    frequencies: FrequencyRange = (50.0, 400.0),
    probability: OpProbability = 0.5,
) -> Filter | None:
    """Remove low frequencies, as small loudspeakers do.

    Settings:
        frequencies: the lowest and the highest cutoff in Hz, where 3 dB are lost; uniform in octaves between them

    24 dB an octave, without a shift in time.
    """
    cutoff = _cutoff(rng, frequencies)
    return Filter(partial(_above, cutoff)).with_params(hertz=cutoff) if happens(rng, probability) else None


@augmentation.register
def telephone(sound: Sound, rng: np.random.Generator, *, probability: OpProbability = 0.2) -> Filter | None:
    """Keep the frequencies of a telephone, 300 to 3,400 Hz."""
    return Filter(_telephone).with_params(hertz="300–3400") if happens(rng, probability) else None


def _telephone(hertz: np.ndarray) -> np.ndarray:
    return np.asarray(_above(TELEPHONE[0], hertz) * _below(TELEPHONE[1], hertz))


def _cutoff(rng: np.random.Generator, frequencies: tuple[float, float]) -> float:
    return float(2 ** between(rng, *np.log2(frequencies)))


def _below(cutoff: float, hertz: np.ndarray) -> np.ndarray:
    """Return a Butterworth response of the magnitude."""
    return np.asarray(1 / np.sqrt(1 + (hertz / cutoff) ** (2 * SLOPE)))


def _above(cutoff: float, hertz: np.ndarray) -> np.ndarray:
    return np.asarray(1 / np.sqrt(1 + (cutoff / np.maximum(hertz, 1e-3)) ** (2 * SLOPE)))


@augmentation.register(severity={"wet": (0.0, 1.0)})
def room(
    sound: Sound,
    rng: np.random.Generator,
    *,
    seconds: SecondsRange = (0.1, 0.5),
    wet: Share = 0.5,
    delay: NonNegative = 2.0,
    probability: OpProbability = 0.3,
) -> Filter | None:
    """Add the echoes of a room: noise that fades, after the direct sound, which stays where it is.

    Settings:
        seconds: the shortest and the longest time in which the echoes fade by 60 dB
        wet: the largest level of the echoes, relative to the direct sound; uniform up to it
        delay: the time in milliseconds from the direct sound to the first echo
    """
    fade, share, seed = between(rng, *seconds), between(rng, 0, wet), int(rng.integers(2**63))
    if not happens(rng, probability):
        return None
    response = partial(_echoes, sound.rate, sound.samples, fade, share, delay / 1000, seed)
    return Filter(response).with_params(seconds=fade, wet=share)


def _echoes(rate: int, longest: int, fade: float, wet: float, delay: float, seed: int, hertz: np.ndarray) -> np.ndarray:
    """Return the spectrum of an impulse and its echoes, as long as the padding of a window allows."""
    size = 2 * (len(hertz) - 1)
    time = np.arange(min(longest, size // 2, round(fade * rate))) / rate
    echoes = np.random.default_rng(seed).standard_normal(len(time)) * decibels(-60) ** (time / fade)
    echoes[time < delay] = 0
    energy = np.sqrt(np.square(echoes).sum())
    echoes *= wet / energy if energy else 0
    echoes[:1] += 1
    return np.fft.rfft(echoes, size)
