import io

import numpy as np
import pytest
from pictures import texture
from PIL import Image

from ftaug.documents.thumbnail import encoded, fitted


def test_the_longer_side_has_the_wanted_length():
    assert fitted(texture(60, 90), 30).shape == (20, 30, 3)
    assert fitted(texture(90, 1), 30).shape == (30, 1, 3)


def test_small_images_are_not_blurred():
    pixels = texture(8, 8)
    np.testing.assert_array_equal(fitted(pixels, 64), pixels.repeat(8, axis=0).repeat(8, axis=1))


@pytest.mark.parametrize(
    ("pixels", "media_type", "format_name"),
    [(np.zeros((64, 64, 3), np.uint8), "image/png", "PNG"), (texture(160, 160), "image/jpeg", "JPEG")],
)
def test_the_smaller_format_is_taken(pixels, media_type, format_name):
    content, written = encoded(pixels)
    image = Image.open(io.BytesIO(content))
    assert (written, image.format) == (media_type, format_name)
    assert np.abs(np.asarray(image).astype(int) - pixels).mean() < 4  # and red is red
