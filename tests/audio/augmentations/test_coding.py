"""Codecs leave a sound where it was, and lose what their bit rate has no room for."""

import numpy as np
import pytest
from sounds import RATE, augmentation, clip, noise, power, preprocessing, streams, tone

from ftaug.audio.augmentations.coding import CODINGS
from ftaug.audio.augmentations.pipeline import Pipeline


def coded(wave, coding, kilobits, rate=RATE):
    op = augmentation("codec", coding=coding, bit_rate=[kilobits, kilobits], probability=1.0)
    form = preprocessing(max(0.05, len(wave) / rate), rate=rate)
    part, _, applied = Pipeline((op,), form).drawn(clip(wave, rate), streams())
    assert applied.values["codec"]["bit_rate"] == kilobits
    return part.wave[part.begin : part.end]


def bursts(rate):
    """Noise that begins and ends several times."""
    wave = noise(1.0, rate)
    wave[: rate // 4] = wave[rate // 2 : rate * 5 // 8] = 0
    return np.convolve(wave, np.ones(8) / 8, "same").astype(np.float32)


@pytest.mark.parametrize("rate", [8000, 10_000, 16_000, 22_050, 44_100])
@pytest.mark.parametrize(("coding", "kilobits"), [("mp3", 16), ("mp3", 64), ("opus", 8), ("opus", 64)])
def test_the_sound_stays_where_it_is(coding, kilobits, rate):
    wave = bursts(rate)
    after = coded(wave, coding, kilobits, rate)
    assert after.shape == wave.shape and after.dtype == np.float32
    size = 2 * len(wave)
    lags = np.fft.irfft(np.fft.rfft(wave, size).conj() * np.fft.rfft(after, size))
    lag = int(lags.argmax())
    assert min(lag, size - lag) <= rate * 0.001
    assert 0.3 < power(after) / power(wave) < 1.2


@pytest.mark.parametrize("coding", CODINGS)
def test_lower_bit_rates_lose_more(coding):
    wave = tone(700) + noise(level=0.05)
    errors = [power(coded(wave, coding, kilobits) - wave) / power(wave) for kilobits in (128, 64, 32, 12)]
    assert errors == sorted(errors)
    assert errors[0] < 0.02 < errors[-1]


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("count", [1, 100, 1153])
def test_short_and_silent_sounds(coding, count):
    assert coded(noise()[:count], coding, 32).shape == (count,)
    assert power(coded(np.concatenate([np.zeros(count, np.float32), tone()[1:2]]), coding, 32)) < 1e-2
