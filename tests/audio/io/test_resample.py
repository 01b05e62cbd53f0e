"""Parts at another rate and speed: slices of the whole, tones at their frequency, nothing aliased."""

import sys
from importlib.metadata import version

import numpy as np
import pytest
from sounds import RATE, clip, loudest_frequency, noise, power, tone

from ftaug.audio.io.resample import length, resample, resampler, window
from ftaug.errors import Unavailable


@pytest.mark.parametrize("rate", [4000, 8000, 11_025, 16_000, 22_050, 44_100, 48_000])
def test_a_part_equals_the_slice_of_the_whole(rate):
    sound = clip(noise(2.0, rate), rate)
    whole = window(sound, RATE, 0, length(sound, RATE)).wave
    for first in (0, 1, 777, 15_999, len(whole) - 4000):
        part = window(sound, RATE, first, 4000)
        np.testing.assert_allclose(part.wave, whole[first : first + 4000], atol=1e-6)
        assert part[1:] == (0, 4000)


@pytest.mark.parametrize("rate", [8000, 22_050, 44_100])
def test_tones_stay_at_their_frequency_and_level(rate):
    wave = window(clip(tone(1000, 2.0, rate), rate), RATE, 8000, RATE).wave
    assert loudest_frequency(wave) == pytest.approx(1000, abs=1)
    assert power(wave) == pytest.approx(0.125, rel=1e-3)


def test_frequencies_above_the_new_range_vanish():
    aliased = resample(tone(11_000, 1.0, 44_100), 44_100, RATE)
    assert 10 * np.log10(power(aliased[2000:-2000])) < -100


def test_a_higher_speed_raises_the_pitch_and_shortens():
    sound = clip(tone(1000, 2.0))
    faster = window(sound, RATE, 0, RATE, speed=1.1).wave
    assert loudest_frequency(faster) == pytest.approx(1100, abs=1)
    assert length(sound, RATE, 1.1) == round(2 * RATE / 1.1)
    assert loudest_frequency(window(sound, RATE, 0, RATE, speed=0.5).wave) == pytest.approx(500, abs=1)


def test_parts_at_a_speed_continue_one_another():
    sound = clip(noise(2.0, 4000), 4000)
    whole = window(sound, RATE, 0, 20_000, speed=1.07).wave
    for first in (777, 9000, 15_000):
        part = window(sound, RATE, first, 3000, speed=1.07).wave
        similarity = np.corrcoef(part[100:-100], whole[first + 100 : first + 2900])[0, 1]
        assert similarity > 0.96  # 0.97 for half of a sample, 0.90 for one


def test_outside_of_the_sound_are_zeros():
    sound = clip(np.ones(100, np.float32))
    part = window(sound, RATE, -30, 200)
    assert part[1:] == (30, 130)
    np.testing.assert_array_equal(part.wave, np.pad(np.ones(100, np.float32), (30, 70)))
    assert window(sound, RATE, 500, 50)[1:] == (0, 0)


def test_a_part_of_a_file_has_no_neighbors():
    wave = np.concatenate([np.ones(100), np.full(100, 2), np.full(100, 3)]).astype(np.float32)
    part = window(clip(wave, start=100 / RATE, end=200 / RATE), RATE, -5, 200).wave
    assert set(part.tolist()) == {0.0, 2.0}


def test_the_resampler_is_named_and_said_to_be_missing(monkeypatch):
    assert resampler() == f"soxr {version('soxr')} HQ"
    monkeypatch.setitem(sys.modules, "soxr", None)
    with pytest.raises(Unavailable) as caught:
        window(clip(tone(rate=8000), 8000), RATE, 0, 100)
    assert str(caught.value) == "modality: audio needs soundfile and soxr: pip install 'ftaug[audio]'"
