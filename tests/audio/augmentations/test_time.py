"""Shift and speed: where a click lands, and which frequency a tone becomes."""

import numpy as np
import pytest
import scipy.stats
from sounds import RATE, augmentation, clip, loudest_frequency, preprocessing, streams, tone

from ftaug.audio.augmentations.pipeline import Pipeline


def drawn(op, wave, seconds, epoch):
    part, _, applied = Pipeline((op,), preprocessing(seconds)).drawn(clip(wave), streams(epoch))
    return part, applied.values[op.name]


@pytest.mark.parametrize("epoch", range(5))
def test_a_shift_moves_the_sound_by_what_it_tells(epoch):
    wave = np.zeros(8000, np.float32)
    wave[4000] = 1
    part, values = drawn(augmentation("shift", seconds=0.1), wave, 1.0, epoch)
    moved = round(values["seconds"] * RATE)
    assert part.wave.argmax() == 4000 + moved
    assert (part.begin, part.end) == (max(0, moved), min(RATE, 8000 + moved))


def test_a_shift_of_a_long_sound_shows_what_is_beside_the_window():
    wave = np.ones(3 * RATE, np.float32)
    parts = [drawn(augmentation("shift", seconds=0.5), wave, 1.0, epoch)[0] for epoch in range(20)]
    assert sum((part.begin, part.end) == (0, RATE) for part in parts) > 10


@pytest.mark.parametrize("seconds", [0.05, 0.4, 0.9, 1.0])
def test_three_quarters_of_a_short_sound_stay_in_the_window(seconds):
    op, wave = augmentation("shift", seconds=0.5), np.ones(round(seconds * RATE), np.float32)
    draws = [drawn(op, wave, 1.0, epoch) for epoch in range(100)]
    assert 0.75 - 1 / len(wave) <= min(np.count_nonzero(part.wave) / len(wave) for part, _ in draws) < 0.9
    delays = [values["seconds"] for _, values in draws]
    assert min(delays) >= -seconds / 4
    assert max(delays) == pytest.approx(min(0.5, 1 - 0.75 * seconds), abs=0.05)


@pytest.mark.parametrize("epoch", range(5))
def test_speed_moves_the_frequency_by_its_factor(epoch):
    part, values = drawn(augmentation("speed", amount=0.2), tone(1000, 2.0), 1.0, epoch)
    assert 0.8 <= values["factor"] <= 1.2
    assert loudest_frequency(part.wave) == pytest.approx(1000 * values["factor"], abs=1)


@pytest.mark.parametrize(
    ("name", "settings", "key", "low", "high"),
    [
        ("shift", {"seconds": 0.3}, "seconds", -0.3, 0.3),
        ("speed", {"amount": 0.2}, "factor", 0.8, 1.2),
    ],
)
def test_draws_are_uniform(name, settings, key, low, high):
    op = augmentation(name, **settings)
    pipeline = Pipeline((op,), preprocessing(1.0))
    values = [pipeline.draw(2.0, streams(epoch))[1].values[name][key] for epoch in range(2000)]
    assert scipy.stats.kstest(values, scipy.stats.uniform(low, high - low).cdf).pvalue > 1e-6
