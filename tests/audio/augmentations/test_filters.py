"""Ops on the spectrum, by what tones and clicks become."""

import numpy as np
import pytest
import scipy.stats
from sounds import RATE, augmentation, augmented, noise, power, preprocessing, streams, tone

from ftaug.audio.augmentations.pipeline import Pipeline


def change(op, hertz, epoch=0):
    """The change of the level of a tone, in dB."""
    wave = tone(hertz)
    after = augmented(wave, op, epoch)
    return 10 * np.log10(power(after[2000:-2000]) / power(wave[2000:-2000]))


def values(op, epoch=0):
    return Pipeline((op,), preprocessing(1.0)).draw(1.0, streams(epoch))[1].values[op.name]


@pytest.mark.parametrize("epoch", range(3))
def test_gain_changes_the_level_by_what_it_tells(epoch):
    op = augmentation("gain", decibels=[-12, 6])
    assert change(op, 500, epoch) == pytest.approx(values(op, epoch)["decibels"], abs=1e-3)


def test_gains_are_uniform():
    op = augmentation("gain", decibels=[-12, 6])
    drawn = [values(op, epoch)["decibels"] for epoch in range(2000)]
    assert scipy.stats.kstest(drawn, scipy.stats.uniform(-12, 18).cdf).pvalue > 1e-6


def test_polarity_turns_the_waveform():
    wave = noise()
    np.testing.assert_array_equal(augmented(wave, augmentation("polarity", probability=1.0)), -wave)


@pytest.mark.parametrize(("name", "through", "stopped"), [("low_pass", 100, 6000), ("high_pass", 6000, 100)])
def test_band_limits_keep_one_side(name, through, stopped):
    op = augmentation(name, frequencies=[1000, 1000], probability=1.0)
    assert change(op, through) == pytest.approx(0, abs=0.1)
    assert change(op, 1000) == pytest.approx(-3.01, abs=0.1)
    assert change(op, 2000 if name == "low_pass" else 500) == pytest.approx(-24.1, abs=0.3)
    assert change(op, stopped) < -40


def test_a_telephone_has_neither_bass_nor_treble():
    op = augmentation("telephone", probability=1.0)
    assert change(op, 1000) == pytest.approx(0, abs=0.1)
    assert change(op, 60) < -40
    assert change(op, 7900) < -25


def test_an_equalizer_raises_its_bands_by_what_it_tells():
    op = augmentation("equalizer", strength=12, bands=3)
    for band, hertz in enumerate(np.geomspace(50, 8000, 3)[:2], 1):
        assert change(op, hertz) == pytest.approx(values(op)[f"band {band}"], abs=0.3)


@pytest.mark.parametrize("epoch", range(3))
def test_a_room_keeps_the_onset_and_the_direct_sound(epoch):
    click = np.zeros(RATE, np.float32)
    click[3000] = 1
    op = augmentation("room", seconds=[0.3, 0.3], wet=1.0, delay=5.0, probability=1.0)
    after = augmented(click, op, epoch)
    assert len(after) == RATE
    np.testing.assert_allclose(after[:3000], 0, atol=1e-6)
    assert after[3000] == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose(after[3001:3079], 0, atol=1e-6)
    echoes = after[3080:]
    assert np.sqrt(np.square(echoes).sum()) == pytest.approx(values(op, epoch)["wet"], rel=0.02)
    early, late = power(echoes[:800]), power(echoes[2400:3200])
    assert 10 * np.log10(early / late) == pytest.approx(60 * 2400 / (0.3 * RATE), abs=3)


def test_nothing_happens_at_the_lowest_severity():
    for name in ("gain", "equalizer", "room"):
        wave = noise()
        np.testing.assert_allclose(augmented(wave, augmentation(name, severity=0, probability=1.0)), wave, atol=1e-6)
