"""Plain WebP files are decoded by OpenCV, to Pillow's pixels; all others are left to Pillow."""

import io

import numpy as np
import pytest
from PIL import Image

from ftaug.errors import BadData
from ftaug.image.io.decode import decode
from ftaug.image.io.webp import plain_webp


def encoded(mode="RGB", shape=(33, 20), **options):
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    image, file = Image.fromarray(pixels).resize(shape[::-1]).convert(mode), io.BytesIO()
    image.save(file, "WEBP", **options)
    return file.getvalue()


@pytest.mark.parametrize("shape", [(1, 1), (33, 20), (64, 127), (300, 2)])
@pytest.mark.parametrize("options", [{"quality": 5}, {"quality": 90}, {"quality": 100}, {"lossless": True}])
def test_plain_files_are_pillows_pixels_by_opencv(shape, options):
    data = encoded(shape=shape, **options)
    picture = plain_webp(data)
    assert (picture.height, picture.width) == shape
    np.testing.assert_array_equal(picture.load(1), np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


@pytest.mark.parametrize("lossless", [True, False])
def test_files_with_more_than_a_picture_are_not_plain(lossless):
    exif = Image.Exif()
    exif[0x0112] = 6
    frames = [Image.new("RGB", (20, 33), color) for color in ("red", "blue")]
    for options in ({"exif": exif.tobytes()}, {"icc_profile": b"profile"}, {"save_all": True, "append_images": frames}):
        assert plain_webp(encoded(lossless=lossless, **options)) is None
    translucent = io.BytesIO()
    Image.new("RGBA", (9, 9), (1, 2, 3, 4)).save(translucent, "WEBP", lossless=lossless)
    assert plain_webp(translucent.getvalue()) is None


@pytest.mark.parametrize("lossless", [True, False])
def test_a_truncated_file_is_not_plain(lossless):
    whole = encoded(lossless=lossless)
    assert plain_webp(whole) is not None
    assert [length for length in range(len(whole)) if plain_webp(whole[:length]) is not None] == []


@pytest.mark.parametrize("lossless", [True, False])
def test_a_damaged_file_is_read_as_by_pillow_or_is_an_error(lossless):
    whole, rng, errors = encoded(lossless=lossless, quality=30), np.random.default_rng(1), 0
    for _ in range(100):
        damaged = bytearray(whole)
        damaged[rng.integers(30, len(whole))] ^= 1 << int(rng.integers(8))
        try:
            expected = np.asarray(Image.open(io.BytesIO(damaged)).convert("RGB"))
        except (OSError, ValueError):
            errors += 1
            with pytest.raises(BadData):
                decode(bytes(damaged))
        else:
            np.testing.assert_array_equal(decode(bytes(damaged)), expected)
    assert errors or not lossless


def test_other_files_are_no_webp():
    file = io.BytesIO()
    Image.new("RGB", (6, 5)).save(file, "JPEG")
    assert plain_webp(file.getvalue()) is None and plain_webp(b"") is None
