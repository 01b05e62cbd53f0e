"""Where the evaluation puts an image is seen from its output: taken back, it is the image again."""

import cv2
import numpy as np
import pytest
from PIL import Image

from ftaug.image.evaluation import evaluated
from ftaug.image.explanation.original import input_box, on_original
from ftaug.image.io.decode import opened
from ftaug.interfaces.explanation import Attribution

PREPROCESSING = {"mean": [0.5] * 3, "std": [0.5] * 3, "size": [48, 64], "resize": 56, "interpolation": "bilinear"}
WAYS = {
    "cropped": {},
    "squashed": {"resize": None},
    "squashed and cropped": {"crop_mode": "squash"},
    "fitted": {"crop_mode": "border", "resize": None},
    "padded": {"resize": 40},
}


def blobs(height, width, seed=0):
    """A smooth random image."""
    noise = np.random.default_rng(seed).integers(0, 256, (5, 5)).astype(np.float32)
    gray = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 255)
    return np.repeat(gray.round().astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("size", [(120, 200), (200, 120), (90, 90), (30, 20)])
@pytest.mark.parametrize("way", WAYS)
def test_the_model_input_taken_back_is_the_original(way, size):
    preprocessing, pixels = PREPROCESSING | WAYS[way], blobs(*size)
    shown = evaluated(opened(pixels), preprocessing)[..., 0].astype(float)
    back = on_original(Attribution(shown, smooth=True), size, size, preprocessing)
    visible = ~np.isnan(back)
    assert visible.mean() > 0.3
    assert np.abs(back - pixels[..., 0])[visible].mean() < 4
    if way in ("squashed", "fitted"):
        assert visible.all()


def test_what_the_crop_cuts_off_has_no_value_and_lies_outside_the_box():
    size = (100, 400)
    back = on_original(Attribution(np.ones((6, 8))), size, size, PREPROCESSING)
    rows, columns = np.flatnonzero(~np.isnan(back).all(axis=1)), np.flatnonzero(~np.isnan(back).all(axis=0))
    top, left, bottom, right = input_box(size, PREPROCESSING)
    # the shorter side becomes 56, of which 48 rows are shown, and 64 of 224 columns
    assert (bottom - top, right - left) == pytest.approx((100 * 48 / 56, 400 * 64 / 224), abs=0.02)
    assert rows[[0, -1]] == pytest.approx([top, bottom], abs=1)
    assert columns[[0, -1]] == pytest.approx([left, right], abs=2)


def test_a_turned_photo_is_explained_upright(tmp_path):
    """The corner of the upright image has the value, also if the file stores it turned (EXIF 6)."""
    upright = blobs(90, 60)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(upright).copy()).save(tmp_path / "turned.jpg", exif=exif, quality=95, subsampling=0)
    picture = opened((tmp_path / "turned.jpg").read_bytes())
    assert (picture.height, picture.width) == (90, 60)
    preprocessing = PREPROCESSING | WAYS["squashed"]
    shown = evaluated(picture, preprocessing)[..., 0].astype(float)
    back = on_original(Attribution(shown, smooth=True), (90, 60), (90, 60), preprocessing)
    assert np.abs(back - upright[..., 0]).mean() < 5


def test_at_another_size_it_is_the_same_map():
    attribution = Attribution(np.random.default_rng(0).normal(size=(6, 8)), smooth=True)
    large = on_original(attribution, (120, 200), (120, 200), PREPROCESSING)
    small = on_original(attribution, (120, 200), (40, 200 // 3), PREPROCESSING)
    assert np.nanmax(np.abs(small[5:35, 5:60] - large[1::3, 1::3][5:35, 5:60])) < 0.6
