"""Corruptions at five levels, the same for every run, of the windows of evaluation."""

import numpy as np
import pytest
from sounds import augmentation, clip, noise, preprocessing, streams, tone

from ftaug.audio.corruptions import corrupting_pipeline, corruptions
from ftaug.audio.packed import HEADER

MEMBERS = corruptions(preprocessing()).members


@pytest.mark.parametrize("corruption", MEMBERS, ids=lambda each: each.name)
def test_higher_levels_change_more(corruption):
    sound = tone(700, 0.6) + noise(0.6, level=0.02)
    plain, _ = corrupting_pipeline((), preprocessing(0.5)).packed(clip(sound), streams())
    changes = []
    for level in corruption.levels:
        rows, applied = corrupting_pipeline((level,), preprocessing(0.5)).packed(clip(sound), streams())
        assert rows.shape == plain.shape
        assert list(applied.values) == [level.name]
        changes.append(float(np.square(rows[:, HEADER:] - plain[:, HEADER:]).sum()))
    assert len(changes) == 5
    assert changes == sorted(changes) and changes[0] > 0


def test_all_windows_are_changed_by_the_same_draws():
    form = {**preprocessing(0.5, windows=3), "views": None}
    pipeline = corrupting_pipeline((augmentation("speed"), augmentation("gain")), form)
    rows, _ = pipeline.packed(clip(np.ones(32_000, np.float32)), streams())
    assert np.ptp(rows[:, HEADER + 500 : -500]) < 1e-3


def test_without_draws_nothing_is_corrupted():
    rows, _ = corrupting_pipeline((augmentation("noise", probability=1.0),), preprocessing(0.5)).packed(
        clip(tone()), None
    )
    np.testing.assert_array_equal(rows[0, HEADER:], tone()[4000:12_000])
