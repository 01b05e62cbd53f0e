"""The formant synthesizer against what its spectra must have, and its filter against one sample after another."""

from dataclasses import replace

import numpy as np
import pytest

from ftaug.audio.speech import synthesizer
from ftaug.audio.speech.phonemes import PHONEMES
from ftaug.audio.speech.synthesizer import FFT, RATE, STEP, Tracks, spoken_word
from ftaug.audio.speech.voice import BANDWIDTHS, voice

PLAIN = replace(
    voice(np.random.default_rng(0)),
    size=1.0,
    pitch=100.0,
    fall=0.0,
    accent=0.0,
    pace=1.0,
    tilt=0.0,
    breath=0.0,
    roughness=0.0,
    bandwidths=BANDWIDTHS,
    consonants=1.0,
    habits={name: np.ones(3) for name in PHONEMES},
)


def said(*phonemes, speaker=PLAIN):
    return spoken_word(phonemes, speaker, np.random.default_rng(0))


def band(wave, low, high):
    """The power between two frequencies."""
    power = np.square(np.abs(np.fft.rfft(wave)))
    frequencies = np.fft.rfftfreq(len(wave), 1 / RATE)
    return power[(frequencies >= low) & (frequencies < high)].sum()


def steady(frames, formants):
    one = np.ones(frames)
    return Tracks(np.tile(formants, (frames, 1)), one, one, one, 4000 * one, 500 * one, 0 * one)


def test_the_pitch_is_that_of_the_voice():
    wave = said("AA")
    lags = np.correlate(wave, wave, "full")[len(wave) - 1 :]
    period = 80 + int(lags[80:320].argmax())
    assert RATE / period == pytest.approx(100, abs=2)


@pytest.mark.parametrize("name", ["AA", "AE", "EH", "IH", "IY", "UH"])
def test_vowels_are_loudest_at_their_first_formant(name):
    wave, (first, second, _) = said(name), PHONEMES[name][0].formants
    assert band(wave, first - 100, first + 100) > 2 * band(wave, (first + second) / 2, (first + second) / 2 + 200)


def test_consonants_hiss_where_they_should():
    for name, low, high in (("S", 4500, 8000), ("SH", 2000, 4500)):
        assert band(said(name), low, high) > 0.8 * band(said(name), 0, 8000)
    stop = said("AA", "T", "AA")
    quietest = np.sqrt(np.square(stop[: len(stop) // STEP * STEP].reshape(-1, STEP)).mean(axis=1))
    middle = quietest[len(quietest) // 4 : -len(quietest) // 4]
    assert middle.min() < 0.01 * quietest.max()


def test_a_filter_that_does_not_move_is_the_recursive_filter():
    """Frames around each step, filtered and added, are what the resonators compute sample by sample."""
    formants = np.array([500.0, 1500, 2500, 3500, 4500])
    wave = np.random.default_rng(0).standard_normal(STEP * 20)
    tracks = steady(20, formants)
    spectra = synthesizer._frames(wave) * synthesizer._resonances(tracks, PLAIN)
    ours = synthesizer._overlap_add(np.fft.irfft(spectra, FFT))[: len(wave)]
    expected = wave
    for formant, bandwidth in zip(formants, BANDWIDTHS, strict=True):
        radius = np.exp(-np.pi * bandwidth / RATE)
        first, second = 2 * radius * np.cos(2 * np.pi * formant / RATE), -(radius**2)
        source, expected = expected, np.zeros(len(wave))
        for n in range(len(wave)):
            before = (expected[n - 1] if n > 0 else 0, expected[n - 2] if n > 1 else 0)
            expected[n] = (1 - first - second) * source[n] + first * before[0] + second * before[1]
    middle = slice(400, -STEP)
    error = ours[middle] - expected[middle]
    assert np.square(error).mean() < 1e-3 * np.square(expected[middle]).mean()


def test_words_are_finite_and_repeatable():
    wave = said("S", "EH", "V", "AX", "N")
    np.testing.assert_array_equal(wave, said("S", "EH", "V", "AX", "N"))
    assert np.isfinite(wave).all() and np.abs(wave).max() == 1
    fast = said("S", "EH", "V", "AX", "N", speaker=replace(PLAIN, pace=0.5))
    assert len(fast) == pytest.approx(len(wave) / 2, rel=0.05)
