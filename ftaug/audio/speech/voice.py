"""Random voices of the formant synthesizer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ftaug.audio.speech.phonemes import PHONEMES

FORMANTS = 5
BANDWIDTHS = np.array([70.0, 90.0, 130.0, 200.0, 300.0])  # Hz
HIGHER = (3500.0, 4500.0)  # Hz; the fourth and fifth formant, of all phonemes


@dataclass(frozen=True)
class Voice:
    """A speaker: a vocal tract, a glottis, and habits."""

    size: float  # factor of all formants: above 1 for a shorter vocal tract
    pitch: float  # Hz
    fall: float  # semitones that the pitch falls during a word
    accent: float  # semitones; of the pitch in the middle of a word
    pace: float  # factor of all durations
    opening: float  # share of a period in which the glottis is open
    tilt: float  # dB per octave above 500 Hz, in addition to the pulse's
    breath: float  # amplitude of noise beside the pulses
    roughness: float  # relative standard deviation of the pitch
    bandwidths: np.ndarray  # Hz (FORMANTS,)
    consonants: float  # factor of the amplitude of consonants' noise
    habits: dict[str, np.ndarray]  # factors of the first three formants by phoneme


def voice(rng: np.random.Generator) -> Voice:
    """Draw a voice, from a deep male one to that of a child."""
    youth = rng.uniform()
    return Voice(
        size=0.9 * 1.4 ** float(np.clip(youth + rng.normal(0, 0.12), 0, 1)),
        pitch=float(np.clip(90 * 2.9**youth * 2 ** rng.normal(0, 0.15), 70, 350)),
        fall=rng.uniform(-1, 6),
        accent=rng.uniform(-2, 4),
        pace=0.7 * 2 ** rng.uniform(0, 1),
        opening=rng.uniform(0.4, 0.75),
        tilt=rng.uniform(-3, 5),
        breath=0.1 * rng.uniform() ** 2,
        roughness=rng.uniform(0.003, 0.02),
        bandwidths=BANDWIDTHS * 2 ** rng.uniform(-1, 0.5, FORMANTS),
        consonants=2 ** rng.uniform(-1, 1),
        habits={name: np.exp(rng.normal(0, (0.06, 0.06, 0.03))) for name in PHONEMES},
    )
