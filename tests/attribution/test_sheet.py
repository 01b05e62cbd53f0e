import io

import numpy as np
import pytest
from PIL import Image

from ftaug.attribution.sheet import SIDE, draw, render
from ftaug.interfaces.explanation import Attribution, Explanation

PICTURES = [np.full((SIDE // 2, SIDE, 3), shade, np.uint8) for shade in (0, 128)]


def explanation(name="picture.png"):
    return Explanation(name, None, "predicted a (0.9)", "a (0.9)", "occlusion", Attribution(np.eye(4)))


def test_a_long_name_makes_the_sheet_higher():
    name = "folder/" + "a_very_long_name_without_a_space" * 6 + ".png"
    long, short = (draw([explanation(each)], [PICTURES], "title") for each in (name, "picture.png"))
    assert long.height > short.height


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_sheet_has_place_for_all(count):
    sheet = draw([explanation()] * count, [PICTURES] * count, "what predictions depend on")
    assert sheet.height > ((count + 1) // 2) * SIDE
    assert np.ptp(np.asarray(sheet)) > 200


def test_a_sheet_is_a_png_and_a_page_holds_its_pictures():
    content = render([explanation()], lambda each, side: PICTURES, "title", ".png")
    assert Image.open(io.BytesIO(content)).format == "PNG"
    page = render([explanation()], lambda each, side: PICTURES, "title", ".html").decode()
    assert page.count('<img src="data:image/png;base64,') == 2
