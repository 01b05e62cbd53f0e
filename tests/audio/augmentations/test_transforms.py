"""Transforms of sounds: how they compose, and how an op sees a sound after them."""

import numpy as np

from ftaug.audio.augmentations.transforms import Filter, Sound, TimeChange, decibels, level

SOUND = Sound(16_000, 16_000, 2.0, ("a",))


def test_filters_multiply():
    hertz = np.linspace(0, 8000, 9)
    both = Filter(lambda hertz: hertz / 1000).then(level(2.0))
    np.testing.assert_allclose(both.response(hertz), hertz / 500)
    assert both.flat is None
    assert level(2.0).then(level(-3.0)).flat == -6.0


def test_a_faster_sound_is_shorter():
    assert TimeChange(speed=2.0).output_view(SOUND).seconds == 1.0
    assert SOUND.relabeled(("b",)).labels == ("b",)


def test_decibels_are_of_amplitudes():
    assert decibels(20) == 10
    assert abs(decibels(-6.0206) - 0.5) < 1e-4
