"""The preprocessing that weights expect, with what `input` sets in its place."""

import pytest

from ftaug.config.experiment import ModelInput
from ftaug.errors import ExperimentError
from ftaug.image.preprocessing import adjusted

EXPECTED = {"mean": [0, 0, 0], "std": [1, 1, 1], "size": [224, 224], "resize": 256, "interpolation": "bilinear"}


@pytest.mark.parametrize(
    ("input", "changes"),
    [
        (ModelInput(), {}),
        (ModelInput(size=160), {"size": [160, 160], "resize": 183}),
        (ModelInput(size=(96, 192)), {"size": [96, 192], "resize": 110}),
        (ModelInput(size=160, resize=160), {"size": [160, 160], "resize": 160}),
        (ModelInput(resize=232), {"resize": 232}),
        (ModelInput(interpolation="bicubic"), {"interpolation": "bicubic"}),
        (ModelInput(train_size=176), {"train_size": [176, 176]}),
    ],
)
def test_what_is_set_takes_the_place_of_what_the_weights_expect(input, changes):
    assert adjusted(EXPECTED, input) == {**EXPECTED, **changes}


def test_squashed_pictures_stay_squashed():
    assert adjusted({**EXPECTED, "resize": None}, ModelInput(size=64))["resize"] is None


def test_a_resize_below_the_size_is_an_error():
    with pytest.raises(ExperimentError, match=r"input\.resize must be at least the size, 224×224 pixels; got 200"):
        adjusted(EXPECTED, ModelInput(resize=200))
