"""Formulas of instruments, by what their spectra must have."""

import numpy as np
import pytest

from ftaug.audio.datasets.synthesis import INSTRUMENTS, RATE, _harmonics, note


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_notes_are_finite_and_of_random_length_and_level(name):
    notes = [note(name, number) for number in range(6)]
    assert all(np.isfinite(wave).all() and wave.dtype == np.float32 for wave in notes)
    assert all(0.5 <= len(wave) / RATE <= 1.2 for wave in notes)
    peaks = [np.abs(wave).max() for wave in notes]
    assert max(peaks) < 0.71 and min(peaks) > 0.05 and np.ptp(peaks) > 0.05


def test_harmonics_are_sines():
    time = np.arange(1000) / RATE
    phase, amplitudes = 2 * np.pi * 300 * time, [1, 0.5, 0.25]
    expected = sum(a * np.sin(k * phase) for k, a in enumerate(amplitudes, 1))
    np.testing.assert_allclose(_harmonics(phase, 300, amplitudes), expected, atol=1e-9)


def test_a_clarinet_lacks_even_harmonics_and_a_cymbal_low_frequencies():
    time = np.arange(RATE) / RATE
    clarinet = np.abs(np.fft.rfft(INSTRUMENTS["clarinet"](np.random.default_rng(0), time) * np.hanning(RATE)))
    pitch = int(clarinet.argmax())
    assert clarinet[3 * pitch - 3 : 3 * pitch + 4].max() > 5 * clarinet[2 * pitch - 3 : 2 * pitch + 4].max()
    cymbal = np.square(np.abs(np.fft.rfft(INSTRUMENTS["cymbal"](np.random.default_rng(0), time))))
    assert cymbal[:1000].sum() < 0.01 * cymbal.sum()
