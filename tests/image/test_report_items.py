import io

import numpy as np
import pytest
from pictures import jpeg, texture
from PIL import Image

from ftaug.attribution.sheet import STACKED_GAP as GAP
from ftaug.errors import BadData
from ftaug.image.report_items import SIDE, explained_item, report_item
from ftaug.interfaces.explanation import Attribution, Explanation

PREPROCESSING = {"mean": [0.5] * 3, "std": [0.5] * 3, "size": [32, 32], "resize": 32, "interpolation": "bilinear"}


def decoded(item):
    return np.asarray(Image.open(io.BytesIO(item.content)).convert("RGB"))


def test_a_photo_becomes_a_small_upright_thumbnail():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    item = report_item(jpeg(texture(600, 1200), exif=exif), "labeled cat")
    assert decoded(item).shape == (SIDE, SIDE // 2, 3)
    assert (item.alt, item.caption) == ("labeled cat", "labeled cat")
    assert len(item.content) < 10_000


def test_what_is_no_image_is_bad_data():
    with pytest.raises(BadData):
        report_item(b"no image", "")


def test_the_map_is_below():
    pixels = np.full((32, 32, 3), 128, np.uint8)
    explanation = Explanation("a.png", pixels, "predicted a", "a", "occlusion", Attribution(np.diag([1.0, 1.0, 0, 0])))
    item = explained_item(explanation, PREPROCESSING, "labeled cat")
    shown = decoded(item)
    assert shown.shape == (2 * SIDE + GAP, SIDE, 3)
    assert (shown[:SIDE] == 128).all()
    red, _, blue = shown[SIDE + GAP + 10, 10].astype(int)
    assert red - blue > 100  # orange: raises the output
    assert item.alt == "labeled cat; above the image, below what raises the output in orange and lowers it in blue"
