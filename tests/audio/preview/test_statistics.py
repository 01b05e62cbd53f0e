"""Figures of augmentations, and their warnings."""

from functools import partial

import pytest
from sounds import augmentation, clip, noise, preprocessing, streams

from ftaug.audio.augmentations.pipeline import Pipeline
from ftaug.audio.preview.statistics import effects
from ftaug.interfaces.preview import Row

ROWS = [Row(clip(noise(0.5, seed=seed)), ("a",), partial(streams, sample=seed)) for seed in range(3)]


def effect(name, **settings):
    return effects(Pipeline((augmentation(name, **settings),), preprocessing(0.5)), ROWS)[0]


def test_the_level_is_what_gain_tells():
    figures = effect("gain", decibels=[-10, -10])
    assert (figures.tries, figures.fired, figures.unchanged) == (24, 1.0, 0.0)
    assert figures.level == pytest.approx(10, abs=0.01)
    assert figures.warning is None


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("noise", {"probability": 0.0}, "noise did nothing in 24 tries"),
        ("gain", {"decibels": [0, 0]}, "gain changes none of these sounds"),
        ("frequency_mask", {"share": 1.0, "count": 8, "probability": 1.0}, "frequency_mask leaves nothing to hear"),
    ],
)
def test_warns(name, settings, said):
    assert said in effect(name, **settings).warning
