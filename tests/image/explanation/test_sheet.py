import numpy as np
import pytest

from ftaug.image.explanation.sheet import SIDE, draw, pictures
from ftaug.interfaces.explanation import Attribution, Explanation

PREPROCESSING = {"mean": [0.5] * 3, "std": [0.5] * 3, "size": [32, 32], "resize": 36, "interpolation": "bilinear"}


def explanation(name="picture.png", height=40, width=80):
    pixels = np.full((height, width, 3), 128, np.uint8)
    return Explanation(name, pixels, "predicted a (0.9)", "a (0.9)", "occlusion", Attribution(np.eye(4)))


def test_both_pictures_keep_the_aspect_ratio():
    shown, under_map = pictures(explanation(), PREPROCESSING)
    assert shown.shape == under_map.shape == (SIDE // 2, SIDE, 3)
    assert (shown == 128).all()
    assert len({tuple(color) for color in under_map.reshape(-1, 3)}) > 2


def test_a_long_name_makes_the_sheet_higher():
    name = "folder/" + "a_very_long_name_without_a_space" * 6 + ".png"
    long, short = (draw([explanation(each)], "title", PREPROCESSING) for each in (name, "picture.png"))
    assert long.height > short.height


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_sheet_has_place_for_all(count):
    sheet = draw([explanation()] * count, "what predictions depend on", PREPROCESSING)
    assert sheet.height > ((count + 1) // 2) * SIDE
    assert np.ptp(np.asarray(sheet)) > 200
