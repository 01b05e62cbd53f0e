"""Erasing."""

import numpy as np
import pytest
from pictures import augmentation, augmented, texture


def erased(pixels, epoch, **settings):
    op = augmentation("random_erasing", probability=1, **settings)
    result = augmented(pixels, op, epoch=epoch)
    rows, columns = np.nonzero((result != pixels).any(axis=2))
    return result, slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)


@pytest.mark.parametrize("epoch", range(10))
def test_one_rectangle_of_the_asked_size_is_erased(epoch):
    pixels = texture(100, 130) | 1  # never black
    result, rows, columns = erased(pixels, epoch, fill="black", area=(0.05, 0.2), ratio=(0.5, 2))
    assert (result[rows, columns] == 0).all()
    height, width = rows.stop - rows.start, columns.stop - columns.start
    assert 0.045 <= height * width / (100 * 130) <= 0.205
    assert 0.45 <= width / height <= 2.1
    outside = np.ones((100, 130), bool)
    outside[rows, columns] = False
    np.testing.assert_array_equal(result[outside], pixels[outside])


def test_the_mean_is_the_pictures():
    pixels = texture(64, 64)
    result, rows, columns = erased(pixels, 0, fill="mean")
    erased_colors = np.unique(result[rows, columns].reshape(-1, 3), axis=0)
    np.testing.assert_allclose(erased_colors, [pixels.mean((0, 1))], atol=0.51)


def test_noise_is_uniform_and_the_same_for_the_same_draw():
    pixels = texture(128, 128)
    result, rows, columns = erased(pixels, 1, fill="noise", area=(0.3, 0.3))
    noise = result[rows, columns].reshape(-1)
    assert np.abs(np.histogram(noise, 8, (0, 256))[0] / noise.size - 1 / 8).max() < 0.02
    np.testing.assert_array_equal(erased(pixels, 1, fill="noise", area=(0.3, 0.3))[0], result)
    assert (erased(pixels, 2, fill="noise", area=(0.3, 0.3))[0] != result).any()


def test_places_cover_the_picture():
    pixels = np.full((20, 20, 3), 255, np.uint8)
    op = augmentation("random_erasing", probability=1, fill="black", area=(0.2, 0.5))
    hits = sum((augmented(pixels, op, epoch=epoch) == 0).all(axis=2).astype(int) for epoch in range(200))
    assert hits.min() > 0
