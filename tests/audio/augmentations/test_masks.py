"""Masks of the spectrogram: their sizes, their places, and the policies of SpecAugment."""

import numpy as np
import pytest
import scipy.stats
from sounds import RATE, augmentation, clip, noise, preprocessing, streams

from ftaug.audio.augmentations.masks import POLICIES, count_masks
from ftaug.audio.augmentations.pipeline import Pipeline
from ftaug.audio.augmentations.transforms import MelMask


def boxes(op, epoch=0, seconds=1.0, window=1.0):
    draws, _ = Pipeline((op,), preprocessing(window)).draw(seconds, streams(epoch))
    return [box for draw in draws if isinstance(draw, MelMask) for box in draw.boxes]


def test_stretches_are_inside_of_the_sound_and_uniform_in_length():
    op = augmentation("time_mask", share=0.2, count=2, probability=1.0)
    drawn = [box for epoch in range(800) for box in boxes(op, epoch, seconds=0.5)]
    assert len(drawn) == 1600
    lengths = np.array([box.stop - box.start for box in drawn]) / (0.5 * RATE)
    assert min(box.start for box in drawn) >= 0
    assert max(box.stop for box in drawn) <= 0.5 * RATE
    assert {(box.low, box.high) for box in drawn} == {(0.0, 1.0)}
    assert scipy.stats.kstest(lengths, scipy.stats.uniform(0, 0.2).cdf).pvalue > 1e-6


def test_bands_are_uniform_in_width():
    op = augmentation("frequency_mask", share=0.3, probability=1.0)
    drawn = [boxes(op, epoch)[0] for epoch in range(1500)]
    widths = [box.high - box.low for box in drawn]
    assert scipy.stats.kstest(widths, scipy.stats.uniform(0, 0.3).cdf).pvalue > 1e-6
    assert min(box.low for box in drawn) >= 0 and max(box.high for box in drawn) <= 1
    assert {(box.start, box.stop) for box in drawn} == {(0.0, float(RATE))}


@pytest.mark.parametrize("policy", POLICIES)
def test_policies_have_their_masks(policy):
    op, form = augmentation("spec_augment", policy=policy), POLICIES[policy]
    drawn = [boxes(op, epoch, seconds=10.0, window=10.0) for epoch in range(300)]
    assert {len(each) for each in drawn} == {2 * form.number} == {count_masks(op)}
    bands = [box.high - box.low for each in drawn for box in each[: form.number]]
    times = [(box.stop - box.start) / RATE for each in drawn for box in each[form.number :]]
    assert 0.95 * form.band < max(bands) <= form.band
    longest = min(form.seconds, 10 * form.share)
    assert 0.95 * longest < max(times) <= longest


def test_no_stretch_of_a_policy_hides_more_than_half():
    op = augmentation("spec_augment", policy="LB")
    times = [boxes(op, epoch, seconds=0.4)[1] for epoch in range(200)]
    assert max(box.stop - box.start for box in times) <= 0.5 * 0.4 * RATE


def test_masks_lie_on_a_sound_that_is_shifted():
    """They are relative to its beginning, not to that of the window."""
    ops = (augmentation("shift", seconds=0.3), augmentation("time_mask", share=0.5, probability=1.0))
    pipeline = Pipeline(ops, preprocessing(1.0))
    for epoch in range(20):
        part, masks, _ = pipeline.drawn(clip(noise(0.3)), streams(epoch))
        assert masks[0].start >= part.begin
