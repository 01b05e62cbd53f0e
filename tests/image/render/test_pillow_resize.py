"""Pillow resizes the whole image, rows before columns, and is the oracle."""

import numpy as np
import pytest
from PIL import Image

from ftaug.image.render.pillow_resize import MOST_TAPS, resized_crop

SHAPES = [
    ((375, 500), (256, 341), (16, 240), (58, 282)),
    ((500, 375), (309, 232), (40, 264), (4, 228)),  # odd ratios
    ((97, 130), (256, 343), (16, 240), (60, 284)),  # grows
    ((28, 28), (32, 32), (0, 32), (0, 32)),  # weights on halves
    ((300, 40), (60, 90), (3, 57), (0, 90)),  # one axis shrinks
    ((48, 64), (48, 32), (5, 40), (0, 32)),  # one axis stays
    ((64, 80), (64, 80), (10, 30), (40, 80)),
    ((1, 3), (64, 192), (0, 64), (100, 164)),
    ((20, 4000), (50, 10_000), (0, 50), (4970, 5030)),
    ((700, 2900), (7, 5), (1, 6), (0, 5)),  # hundreds of taps
    ((3 * MOST_TAPS, 4), (2, 8), (1, 2), (0, 8)),
]


def noise(height, width, values=256):
    return np.random.default_rng(0).integers(0, values, (height, width, 3), np.uint8)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "nearest"])
@pytest.mark.parametrize(("shape", "size", "rows", "columns"), SHAPES, ids=str)
def test_a_crop_has_the_bits_of_pillow(shape, size, rows, columns, interpolation):
    filter = Image.Resampling[interpolation.upper()]
    crop = slice(*rows), slice(*columns)
    for pixels in (noise(*shape), 255 * noise(*shape, values=2)):  # the latter overshoots with bicubic
        image = Image.fromarray(pixels).resize((size[1], shape[0]), filter).resize(size[::-1], filter)
        found = resized_crop(lambda r, c, pixels=pixels: pixels[r, c], shape, size, crop, interpolation)
        np.testing.assert_array_equal(found, np.asarray(image)[crop])


def test_only_what_the_crop_needs_is_read():
    shape, read = (20, 1_000_000), []

    def source(rows, columns):
        read.append((rows, columns))
        return np.zeros((rows.stop - rows.start, columns.stop - columns.start, 3), np.uint8)

    crop = slice(10, 20), slice(5_000_000, 5_000_010)
    assert resized_crop(source, shape, (200, 10_000_000), crop, "bicubic").shape == (10, 10, 3)
    ((rows, columns),) = read
    assert (rows.start, rows.stop) == (0, 4)
    assert 499_998 <= columns.start < columns.stop <= 500_003
