import numpy as np
import pytest

from ftaug.image.explanation.sheet import SIDE, draw, pictures, wrap
from ftaug.image.preview.contact_sheet import font
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


def test_long_names_are_wrapped_and_none_of_them_is_cut():
    name = "folder/" + "a_very_long_name_without_a_space" * 6 + ".png"
    lines = wrap(name, font(12), 300)
    assert "".join(lines) == name
    assert all(font(12).getlength(line) <= 300 for line in lines)
    assert (
        draw([explanation(name)], "title", PREPROCESSING).height > draw([explanation()], "title", PREPROCESSING).height
    )


def test_words_are_wrapped_at_spaces():
    assert wrap("one two three", font(12), font(12).getlength("one two")) == ["one two", "three"]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_sheet_has_place_for_all(count):
    sheet = draw([explanation()] * count, "what predictions depend on", PREPROCESSING)
    assert sheet.height > ((count + 1) // 2) * SIDE
    assert np.ptp(np.asarray(sheet)) > 200
