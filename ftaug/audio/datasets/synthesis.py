"""Notes of ten instruments by additive synthesis, from random numbers of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

RATE = 16_000
SECONDS = (0.5, 1.2)
NOISE = (5.0, 40.0)  # dB below the note
LEVEL = (-26.0, -3.0)  # dB of the loudest sample
Instrument = Callable[[np.random.Generator, np.ndarray], np.ndarray]


def note(instrument: str, number: int) -> np.ndarray:
    """Compute a note: float32 (samples,) at 16 kHz, a function of the instrument and the number."""
    rng = np.random.Generator(np.random.Philox(key=[number, 29]))
    time = np.arange(round(RATE * rng.uniform(*SECONDS))) / RATE
    wave = INSTRUMENTS[instrument](rng, time)
    wave *= np.minimum(1, (time[-1] - time) / 0.02)
    noise = rng.standard_normal(len(wave))
    wave = wave / wave.std() + noise * 10 ** (-rng.uniform(*NOISE) / 20)
    return np.asarray(wave / np.abs(wave).max() * 10 ** (rng.uniform(*LEVEL) / 20), np.float32)


def _pitch(rng: np.random.Generator, low: float = 110.0, octaves: float = 2.5) -> float:
    return float(low * 2 ** (octaves * rng.random()))


def _swell(rng: np.random.Generator, time: np.ndarray, slowest: float = 0.15) -> np.ndarray:
    """Rise to 1 within a random time of at most `slowest` seconds, then fall a little."""
    return np.asarray(np.minimum(1, time / rng.uniform(0.02, slowest)) * np.exp(-rng.uniform(0, 1) * time))


def _vibrato(rng: np.random.Generator, time: np.ndarray, pitch: float, depth: float) -> np.ndarray:
    """Return the phase of a tone whose pitch swings by up to a share of it."""
    rate = rng.uniform(4.5, 7)
    swing = rng.uniform(0.2, 1) * depth * pitch / rate
    return np.asarray(2 * np.pi * pitch * time - swing * np.cos(2 * np.pi * rate * time))


def _harmonics(phase: np.ndarray, pitch: float, amplitudes: Iterable[float | np.ndarray]) -> np.ndarray:
    """Sum sines of the multiples of a phase, below 0.45 times the rate, by the recurrence of Chebyshev."""
    total, doubled = np.zeros_like(phase), 2 * np.cos(phase)
    before, current = np.zeros_like(phase), np.sin(phase)
    for number, amplitude in enumerate(amplitudes, 1):
        if number * pitch > 0.45 * RATE:
            break
        total += amplitude * current
        before, current = current, doubled * current - before
    return total


def _partials(
    rng: np.random.Generator, time: np.ndarray, pitch: float, ratios: Iterable[float], decay: float
) -> np.ndarray:
    """Sum inharmonic partials; the higher ones are weaker and fade earlier."""
    total = np.zeros_like(time)
    for ratio in ratios:
        if ratio * pitch < 0.45 * RATE:
            strength = rng.uniform(0.5, 1) / ratio**0.5
            angle = 2 * np.pi * (ratio * pitch * time + rng.random())
            total += strength * np.exp(-decay * ratio**0.7 * time) * np.sin(angle)
    return total


def bell(rng: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """Sound a bell, with the partials of Risset (1969)."""
    ratios = (0.56, 0.92, 1.19, 1.71, 2.0, 2.74, 3.0, 3.76)
    return _partials(rng, time, _pitch(rng, 220), ratios, rng.uniform(1, 3))


def brass(rng: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """Sound a brass tone, which is the brighter the louder it is."""
    pitch, envelope = _pitch(rng), _swell(rng, time)
    dullness = rng.uniform(0.15, 0.4)
    return _harmonics(2 * np.pi * pitch * time, pitch, (envelope ** (1 + dullness * k) for k in range(16)))


def clarinet(rng: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """Sound a closed pipe, which has odd harmonics."""
    pitch, slope = _pitch(rng), rng.uniform(0.7, 1.3)
    amplitudes = (k**-slope if k % 2 else 0.03 for k in range(1, 16))
    return np.asarray(_swell(rng, time, 0.08) * _harmonics(2 * np.pi * pitch * time, pitch, amplitudes))


def cymbal(rng: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """Sound a cymbal: noise of high frequencies that fades."""
    noise = np.diff(rng.standard_normal(len(time) + 2), 2)
    return np.asarray(noise * np.exp(-rng.uniform(3, 12) * time))


def drum(rng: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """Sound a drum, whose pitch falls, with the noise of the stroke."""
    pitch, fall = rng.uniform(50, 110), rng.uniform(15, 40)
    angle = 2 * np.pi * (pitch * time + rng.uniform(1, 3) * pitch / fall * (1 - np.exp(-fall * time)))
    stroke = 0.3 * rng.standard_normal(len(time)) * np.exp(-80 * time)
    return np.asarray(np.exp(-rng.uniform(5, 12) * time) * np.sin(angle) + stroke)


def flute(rng: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """Sound a flute: few harmonics with a vibrato, and breath."""
    pitch = _pitch(rng, 250, 1.8)
    tone = _harmonics(_vibrato(rng, time, pitch, 0.01), pitch, (1, rng.uniform(0.1, 0.4), rng.uniform(0.02, 0.1)))
    breath = np.convolve(rng.standard_normal(len(time)), np.ones(5) / 5, "same")
    return np.asarray(_swell(rng, time) * (tone + rng.uniform(0.05, 0.2) * breath))


def organ(rng: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """Sound the pipes of an organ in octaves and fifths."""
    pitch = _pitch(rng)
    ranks = {
        1: 1.0,
        2: rng.uniform(0.4, 1),
        3: rng.uniform(0.1, 0.6),
        4: rng.uniform(0.2, 0.8),
        8: rng.uniform(0.1, 0.5),
    }
    amplitudes = (ranks.get(k, 0.0) for k in range(1, 9))
    return np.asarray(np.minimum(1, time / 0.02) * _harmonics(2 * np.pi * pitch * time, pitch, amplitudes))


def plucked(rng: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """Sound a plucked string: harmonics by the place where it is plucked, the higher ones fading earlier."""
    pitch, place, fade = _pitch(rng, 90), rng.uniform(0.1, 0.4), np.exp(-rng.uniform(0.3, 0.9) * time)
    amplitudes = (np.sin(k * np.pi * place) / k * fade ** (2 + k) for k in range(1, 20))
    return _harmonics(2 * np.pi * pitch * time, pitch, amplitudes)


def violin(rng: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """Sound a bowed string: all harmonics, a vibrato and a slow attack."""
    pitch, slope = _pitch(rng, 196, 2), rng.uniform(0.9, 1.2)
    tone = _harmonics(_vibrato(rng, time, pitch, 0.015), pitch, (k**-slope for k in range(1, 20)))
    return np.asarray(_swell(rng, time, 0.3) * tone)


def xylophone(rng: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """Sound a wooden bar, with partials of 1, 4 and 9.2 times the pitch."""
    return _partials(rng, time, _pitch(rng, 260, 2), (1.0, 4.0, 9.2), rng.uniform(8, 16))


INSTRUMENTS: dict[str, Instrument] = {
    function.__name__: function
    for function in (bell, brass, clarinet, cymbal, drum, flute, organ, plucked, violin, xylophone)
}
