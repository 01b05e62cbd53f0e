import base64
import io
import json
import re

import numpy as np
import torch
from PIL import Image

from ftaug.image.explanation.explanation import locate, pictures, remove, render
from ftaug.interfaces.explanation import Attribution, Explanation

PREPROCESSING = {"mean": [0.5] * 3, "std": [0.5] * 3, "size": [32, 32], "resize": None, "interpolation": "bilinear"}
CORNER = Attribution(np.pad(np.ones((2, 2)), ((0, 6), (6, 0))))  # top right


def test_what_is_removed_are_the_pixels_of_the_highest_or_of_the_lowest_values():
    sample = torch.full((1, 3, 32, 32), 10, dtype=torch.uint8)
    sample[:, :, :8, 24:] = 250
    without_most = remove(sample, CORNER, 1 / 16, True, PREPROCESSING)
    assert without_most[:, :, :8, 24:].float().mean() < 25
    assert torch.equal(without_most[:, :, 8:], sample[:, :, 8:])
    without_least = remove(sample, CORNER, 0.9, False, PREPROCESSING)
    assert torch.equal(without_least[:, :, :8, 24:], sample[:, :, :8, 24:])
    assert not torch.equal(without_least, sample)


def test_the_map_is_located_on_the_original():
    facts = locate(np.zeros((60, 90, 3), np.uint8), CORNER, PREPROCESSING)
    assert facts["image_size"] == [60, 90]
    assert facts["box"] == [0, 0, 60, 90]
    assert json.loads(json.dumps(facts))["map"] == CORNER.values.tolist()


def explanation():
    return Explanation("<b>.png", np.zeros((60, 90, 3), np.uint8), "predicted <i> (0.9)", "<i> (0.9)", "cam", CORNER)


def test_a_page_holds_its_images():
    page = render([explanation()], "title", PREPROCESSING, ".html").decode()
    assert "<b>" not in page and "&lt;b&gt;.png" in page
    contents = [base64.b64decode(text) for text in re.findall(r'src="data:image/png;base64,([^"]+)"', page)]
    plain, under_map = (np.asarray(Image.open(io.BytesIO(content))) for content in contents)
    assert plain.shape == under_map.shape
    colored = np.ptp(under_map.astype(int), axis=2) > 0
    assert colored[: len(colored) // 8, -10:].all()
    assert not colored[len(colored) // 2 :].any()
    assert "http:" not in page and "https:" not in page


def test_both_pictures_keep_the_aspect_ratio():
    pixels = np.full((40, 80, 3), 128, np.uint8)
    explained = Explanation("a.png", pixels, "predicted a (0.9)", "a (0.9)", "occlusion", Attribution(np.eye(4)))
    shown, under_map = pictures(explained, {**PREPROCESSING, "resize": 36}, 224)
    assert shown.shape == under_map.shape == (112, 224, 3)
    assert (shown == 128).all()
    assert len({tuple(color) for color in under_map.reshape(-1, 3)}) > 2
