"""Plain PNG files are decoded by OpenCV, to Pillow's pixels; all others are left to Pillow."""

import io

import numpy as np
import pytest
from PIL import Image

from ftaug.image.io.png import plain_png


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("shape", [(1, 1), (33, 20), (64, 64)])
@pytest.mark.parametrize("level", [0, 1, 9])
def test_plain_pngs_are_pillows_pixels_by_opencv(mode, shape, level):
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    image, file = Image.fromarray(pixels).convert(mode), io.BytesIO()
    image.save(file, "PNG", compress_level=level, dpi=(72, 72))
    np.testing.assert_array_equal(plain_png(file.getvalue()).load(1), np.asarray(image.convert("RGB")))


def test_a_png_of_which_any_byte_is_wrong_or_missing_is_not_plain():
    """Those go to Pillow, which says what is wrong with them."""
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (6, 5, 3), dtype=np.uint8)).save(file, "PNG")
    whole = file.getvalue()
    assert plain_png(whole) is not None
    changed = [whole[:i] + bytes([whole[i] ^ 0x10]) + whole[i + 1 :] for i in range(len(whole))]
    cut = [whole[:length] for length in range(len(whole))]
    assert [data for data in [*changed, *cut] if plain_png(data) is not None] == []


@pytest.mark.parametrize("mode", ["RGBA", "P", "LA", "1", "I;16"])
def test_other_pngs_are_not_plain(mode):
    file = io.BytesIO()
    Image.new("L", (6, 5)).convert(mode).save(file, "PNG")
    assert plain_png(file.getvalue()) is None


def test_other_files_are_no_pngs():
    file = io.BytesIO()
    Image.new("RGB", (6, 5)).save(file, "JPEG")
    assert plain_png(file.getvalue()) is None
    assert plain_png(b"") is None
