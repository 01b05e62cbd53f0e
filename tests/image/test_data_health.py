"""Sketches of pictures."""

import numpy as np
from doctor_data import photo
from pictures import jpeg
from PIL import Image

from ftaug.image.data_health import SIDE, sketch


def test_a_sketch_is_a_small_gray_picture():
    picture = photo(0, (640, 480))
    reference = np.asarray(picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)).astype(int)
    data = jpeg(np.asarray(picture), 95)
    values = sketch(data).values.reshape(SIDE, SIDE).astype(int)
    assert np.abs(values - reference).max() <= 4
    assert sketch(data).facts == (480, 640, len(data))


def test_the_digest_is_that_of_the_content():
    pixels = np.asarray(photo(1))
    assert sketch(pixels).digest == sketch(pixels.copy()).digest != sketch(pixels[:, ::-1].copy()).digest
    assert sketch(jpeg(pixels)).digest != sketch(jpeg(pixels, 80)).digest
