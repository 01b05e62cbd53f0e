"""The center frequency of sounds, beside scipy's power spectrum."""

import numpy as np
import pytest
from scipy import signal

from ftaug.audio.center_frequency import FRAME, center_frequency

RATE = 48_000


def tone(hz, seconds=1.0, level=0.5):
    return level * np.sin(2 * np.pi * hz * np.arange(round(RATE * seconds)) / RATE)


@pytest.mark.parametrize("hz", [440, 5000, 21_000])
def test_of_a_tone_it_is_that_tone(hz):
    assert center_frequency(tone(hz), RATE) == pytest.approx(hz, abs=2 * RATE / FRAME)


def test_the_louder_of_two_tones_decides_whatever_their_mean_is():
    assert center_frequency(tone(1000, level=0.3) + tone(15_000, level=0.2) + 0.4, RATE) < 1100
    assert center_frequency(tone(1000, level=0.2) + tone(15_000, level=0.3) + 0.4, RATE) > 14_900


def test_of_noise_it_is_that_of_scipy():
    wave = signal.lfilter(
        *signal.butter(2, [3000, 9000], "bandpass", fs=RATE), np.random.default_rng(0).normal(size=RATE)
    )
    frequencies, power = signal.welch(wave, RATE, "hann", FRAME)
    expected = frequencies[np.searchsorted(power.cumsum(), power.sum() / 2)]
    assert center_frequency(wave, RATE) == pytest.approx(expected, abs=RATE / FRAME)


@pytest.mark.parametrize("wave", [np.zeros(5000), np.full(5000, 0.3), np.zeros(1), np.ones(3)])
def test_silence_and_very_short_sounds(wave):
    assert 0 <= center_frequency(wave, RATE) <= RATE / 2
    assert center_frequency(np.zeros(5000), RATE) == center_frequency(np.full(5000, 0.25), RATE) == 0
