"""Recordings of synthetic words: a voice in a room, with noise, through a microphone."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ftaug.audio.speech.synthesizer import RATE, spoken_word
from ftaug.audio.speech.voice import voice

SILENCE = (0.02, 0.15)  # seconds before and after a word
REVERBERATION = (0.08, 0.5)  # seconds in which an echo falls by 60 dB
ECHO = (-30.0, -6.0)  # dB of the echo, relative to the voice
NOISE = (10.0, 45.0)  # dB below the voice
SLOPES = {"voice": (-2.0, 2.0), "noise": (-6.0, 0.0)}  # dB per octave
LEVEL = (-26.0, -1.0)  # dB of the loudest sample
KEPT = 1 << 15  # sounds in memory, about 20 KB each


@lru_cache(maxsize=KEPT)
def utterance(phonemes: tuple[str, ...], speaker: int, word: int) -> np.ndarray:
    """Synthesize a word: int16 (samples,) at 16 kHz, a function of the speaker's and the word's number."""
    rng = np.random.Generator(np.random.Philox(key=[speaker, word + 1]))
    spoken = spoken_word(phonemes, voice(np.random.Generator(np.random.Philox(key=[speaker, 0]))), rng)
    before, after = (round(RATE * rng.uniform(*SILENCE)) for _ in range(2))
    length = before + len(spoken) + after
    size = 1 << (length + round(RATE * REVERBERATION[1]) - 1).bit_length()
    spectrum = np.fft.rfft(np.pad(spoken, (before, after)), size)
    wave = np.fft.irfft(spectrum * _room(size, rng) * _slope(size, rng.uniform(*SLOPES["voice"])))[:length]
    noise = np.fft.rfft(rng.standard_normal(size)) * _slope(size, rng.uniform(*SLOPES["noise"]))
    hiss = np.fft.irfft(noise)[:length]
    wave = wave / wave.std() + hiss / hiss.std() * 10 ** (-rng.uniform(*NOISE) / 20)
    loudest = 10 ** (rng.uniform(*LEVEL) / 20) * 2**15
    sound = np.asarray(np.round(wave / np.abs(wave).max() * loudest), np.int16)
    sound.setflags(write=False)
    return sound


def _room(size: int, rng: np.random.Generator) -> np.ndarray:
    """Return the frequency response of a room: the sound itself, and noise that decays exponentially."""
    seconds, loudness = rng.uniform(*REVERBERATION), 10 ** (rng.uniform(*ECHO) / 20)
    time = np.arange(round(RATE * seconds)) / RATE
    echo = rng.standard_normal(len(time)) * 10 ** (-3 * time / seconds)
    return 1 + np.fft.rfft(loudness * echo / np.linalg.norm(echo), size)


def _slope(size: int, decibels: float) -> np.ndarray:
    """Return a frequency response that rises by so many dB per octave above 100 Hz."""
    octaves = np.log2(np.maximum(np.fft.rfftfreq(size, 1 / RATE), 100) / 100)
    return np.asarray(10 ** (decibels * octaves / 20))
