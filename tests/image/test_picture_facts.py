"""The facts of pictures, by formulas written again with NumPy and SciPy."""

import cv2
import numpy as np
import pytest
from pictures import texture
from PIL import Image
from scipy.ndimage import correlate

from ftaug.image.picture_facts import picture_facts

LAPLACIAN = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], float)


def test_facts_of_a_small_picture():
    pixels = texture(60, 90, finest=2)
    gray = pixels @ [0.299, 0.587, 0.114] / 255
    facts = picture_facts(pixels)
    assert facts["brightness"] == pytest.approx(gray.mean(), abs=0.003)
    assert facts["contrast"] == pytest.approx(gray.std(), abs=0.003)
    assert facts["sharpness"] == pytest.approx(correlate(gray, LAPLACIAN, mode="mirror").std(), rel=0.05)
    assert (facts["size"], facts["aspect"]) == (60, 1.5)


def test_a_blurred_picture_is_less_sharp_and_a_darker_one_less_bright():
    pixels = texture(64, 64, finest=2)
    facts, blurred, dark = (picture_facts(p) for p in (pixels, cv2.GaussianBlur(pixels, (0, 0), 2), pixels // 2))
    assert blurred["sharpness"] < 0.5 * facts["sharpness"]
    assert dark["brightness"] < 0.6 * facts["brightness"] and dark["contrast"] < 0.6 * facts["contrast"]


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_large_files_are_scaled_first_and_turned_by_their_orientation(tmp_path, suffix):
    small = texture(200, 120, finest=4)
    large = Image.fromarray(small).resize((1200, 2000), Image.Resampling.BICUBIC)
    path = tmp_path / f"large.{suffix}"
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    large.save(path, exif=exif, **({"quality": 95} if suffix == "jpg" else {}))
    facts, expected = picture_facts(path.read_bytes()), picture_facts(small)
    assert (facts["size"], facts["aspect"]) == (1200, 2000 / 1200)
    assert facts["brightness"] == pytest.approx(expected["brightness"], abs=0.01)
    assert facts["contrast"] == pytest.approx(expected["contrast"], rel=0.1)


def test_a_single_pixel_has_facts():
    assert picture_facts(np.full((1, 1, 3), 255, np.uint8)) == {
        "brightness": 1.0,
        "contrast": 0.0,
        "sharpness": 0.0,
        "size": 1.0,
        "aspect": 1.0,
    }
