"""Corruptions act on the model's input, and depend on nothing but the sample."""

import numpy as np
import pytest
from pictures import augmentation, preprocessing, streams, texture

from ftaug.image import samples
from ftaug.image.augmentations.corruption import CIFAR, KINDS, corrupted
from ftaug.image.corruptions import CATEGORIES, EXTRA, SIMILAR, corrupting_pipeline, corruptions


def test_every_corruption_has_a_category():
    assert sorted(kind for kinds in CATEGORIES.values() for kind in kinds) == sorted(KINDS)
    assert set(EXTRA) == set(KINDS[15:]) and set(SIMILAR) <= set(KINDS)
    assert [member.name for member in corruptions({"size": [32, 32]}).members] == list(KINDS)


def test_what_is_similar_is_an_augmentation():
    for names in SIMILAR.values():
        for name in names:
            assert augmentation(name).name == name


@pytest.mark.parametrize("views", [None, "flip"])
def test_the_input_of_evaluation_is_corrupted(views):
    pixels = texture(80, 50)
    settings = preprocessing(32, resize=36, views=views)
    plain = samples.pipeline((), preprocessing(32, resize=36))(pixels, None)
    pipeline = corrupting_pipeline((augmentation("corruption", kind="contrast", level=4),), settings)
    expected = corrupted("contrast", CIFAR["contrast"][3], 0, plain)
    result, applied = samples.prepare(pixels, pipeline, streams())
    np.testing.assert_array_equal(result, expected)
    assert applied.values == {"corruption": {"kind": "contrast", "level": 4}}


def test_an_op_of_geometry_acts_on_the_input_too():
    pixels = texture(32, 32)
    pipeline = corrupting_pipeline((augmentation("horizontal_flip", probability=1.0),), preprocessing(32))
    np.testing.assert_array_equal(pipeline(pixels, streams()), pixels[:, ::-1])


def test_levels_of_a_sample_share_their_draw():
    """Noise of a higher level is the same noise, stronger."""
    gray = np.full((64, 64, 3), 128, np.uint8)
    levels = next(m for m in corruptions({"size": [64, 64]}).members if m.name == "gaussian_noise").levels
    weak, strong = (
        corrupting_pipeline((op,), preprocessing(64))(gray, streams(0, 7)).astype(int) - 128 for op in levels[::4]
    )
    other = corrupting_pipeline(levels[:1], preprocessing(64))(gray, streams(0, 8)).astype(int) - 128
    assert np.corrcoef(weak.ravel(), strong.ravel())[0, 1] > 0.99
    assert abs(np.corrcoef(weak.ravel(), other.ravel())[0, 1]) < 0.05
