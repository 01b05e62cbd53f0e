import numpy as np
import pytest
from pictures import augmentation, augmented, streams, texture

from ftaug.augment.transform import each
from ftaug.errors import ExperimentError
from ftaug.experiment_file import load
from ftaug.image.augmentations.corruption import CIFAR, IMAGENET, KINDS, corrupted
from ftaug.image.augmentations.transforms import Canvas


def test_there_are_15_common_corruptions_and_4_more_with_5_levels_each():
    assert len(KINDS) == 19 and KINDS[15:] == ("speckle_noise", "gaussian_blur", "spatter", "saturate")
    for table in (IMAGENET, CIFAR):
        assert set(table) == set(KINDS) and all(len(levels) == 5 for levels in table.values())


@pytest.mark.parametrize(("side", "table"), [(95, CIFAR), (96, IMAGENET), (8, CIFAR)])
def test_the_constants_go_by_the_size(side, table):
    pixels = texture(side, side)
    result = augmented(pixels, augmentation("corruption", kind="contrast", level=2))
    np.testing.assert_array_equal(result, corrupted("contrast", table["contrast"][1], 0, pixels))


@pytest.mark.parametrize("name", KINDS)
def test_the_same_draw_gives_the_same_pixels(name):
    pixels = texture(48, 32)
    ops = [augmentation("corruption", kind=name, level=level) for level in (1, 5)]
    first, again = (augmented(pixels, ops[1]) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (first != pixels).any()
    assert first.shape == pixels.shape


def test_a_level_is_stronger_than_the_one_before():
    pixels = texture(64, 64, finest=2).astype(int)
    for name in set(KINDS) - {"elastic_transform", "saturate", "spatter", "glass_blur", "snow", "frost"}:
        first, last = (
            augmented(pixels.astype(np.uint8), augmentation("corruption", kind=name, level=n)) for n in (1, 5)
        )
        assert np.abs(last - pixels).mean() > 1.2 * np.abs(first - pixels).mean(), name


def test_what_was_drawn_is_named():
    op = augmentation("corruption", kind="fog", level=4)
    (draw,) = each(op(Canvas(32, 32, (32, 32)), streams()("corruption")))
    assert dict(draw.values) == {"kind": "fog", "level": 4}
    assert augmentation("corruption", kind="fog", probability=0)(Canvas(32, 32, (32, 32)), streams()("x")) is None


def test_a_wrong_name_is_an_error(write):
    path = write("backbone: resnet20\ndata: {train: digits}\naugment: [{corruption: {kind: fogg}}]\n")
    with pytest.raises(ExperimentError, match=r"kind must be one of gaussian_noise, .*; got fogg"):
        load(path)
