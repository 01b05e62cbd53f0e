"""Evaluation shows a network what torchvision's and timm's own transforms show it, to a gray level."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
from pictures import jpeg, preprocessing, texture
from PIL import Image, ImageOps
from timm.data import resolve_data_config
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.v2 import functional
from weight_transforms import (
    AT_99_PERCENT,
    MEAN,
    TIMM,
    TORCHVISION,
    by_timm,
    by_torchvision,
    photo,
    quick_configurations,
)

from ftaug.image import samples
from ftaug.image.backbones import timm as timm_networks
from ftaug.image.backbones import torchvision as torchvision_networks


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def turned(pixels, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return jpeg(pixels, exif=exif)


def pictures(*shapes):
    return {f"{width}×{height}.jpg": jpeg(photo(height, width, seed)) for seed, (height, width) in enumerate(shapes)}


FEW = pictures((45, 60), (512, 512)) | {"turned 301×203.jpg": turned(photo(203, 301, 8), 6)}
MORE = pictures((97, 224), (224, 224), (256, 256), (375, 500), (1024, 683)) | {"481×333.png": png(photo(333, 481, 7))}
MORE["turned 700×500.jpg"] = turned(photo(500, 700, 9), 8)
MORE["512×512 without subsampling.jpg"] = jpeg(photo(512, 512, 4), subsampling=0)


@pytest.fixture(scope="module")
def largest():
    """12 megapixels, as a phone takes them: stored on its side."""
    return {"4000×3000.jpg": turned(np.tile(photo(1000, 1000, 10), (3, 4, 1)), 6)}


def image_of(data):
    return ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")


def check(settings, by_library, encoded):
    """Compare the pixels of evaluation with those of a function of a PIL image, before both are normalized."""
    pipeline = samples.pipeline([], settings)
    for name, data in encoded.items():
        expected = by_library(image_of(data))
        found = samples.prepare(data, pipeline, None)[0]
        assert found.shape == expected.shape, name
        difference = np.abs(found.astype(int) - expected)
        figures = difference.mean(), np.percentile(difference, 99)
        assert figures[0] <= MEAN, (name, settings, figures)
        assert figures[1] <= AT_99_PERCENT, (name, settings, figures)


def test_every_way_to_prepare_a_picture_is_known():
    assert len(TORCHVISION) > 20
    assert len(TIMM) > 100
    configs = [resolve_data_config(pretrained_cfg=config) for config in TIMM.values()]
    modes = {config["crop_mode"] for config in configs}
    assert {"center", "squash"} <= modes <= {"center", "squash", "border"}  # border is of newer versions of timm
    assert {config["interpolation"] for config in configs} == {"bilinear", "bicubic"}


@pytest.mark.parametrize("key", TORCHVISION)
def test_torchvision_presets(key):
    weights = TORCHVISION[key]
    check(torchvision_networks.preprocessing_of(weights), by_torchvision(weights), FEW)


@pytest.mark.parametrize("key", quick_configurations())
def test_timm_configurations(key):
    config = TIMM[key]
    settings = timm_networks.preprocessing_of(SimpleNamespace(pretrained_cfg=config))
    check(settings, by_timm(config), FEW)


@pytest.mark.slow
@pytest.mark.parametrize("key", TORCHVISION)
def test_torchvision_presets_on_all_pictures(key, largest):
    weights = TORCHVISION[key]
    check(torchvision_networks.preprocessing_of(weights), by_torchvision(weights), FEW | MORE | largest)


@pytest.mark.slow
@pytest.mark.parametrize("key", TIMM)
def test_timm_configurations_on_all_pictures(key, largest):
    config = TIMM[key]
    settings = timm_networks.preprocessing_of(SimpleNamespace(pretrained_cfg=config))
    check(settings, by_timm(config), FEW | MORE | largest)


def test_pictures_up_to_12_megapixels(largest):
    weights = TORCHVISION["224 of 256 bilinear"]
    check(torchvision_networks.preprocessing_of(weights), by_torchvision(weights), FEW | MORE | largest)


@pytest.mark.parametrize(("size", "resize"), [((64, 64), 61), ((65, 65), 32), ((50, 91), 54), ((91, 50), 54)])
def test_a_smaller_picture_is_padded_as_by_torchvision(size, resize):
    def expected(image):
        return np.asarray(functional.center_crop(functional.resize(image, [resize]), list(size)))

    check(preprocessing(*size, resize=resize), expected, FEW | MORE)


@pytest.mark.parametrize("shape", [(60, 3000), (3000, 61), (1, 700)])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_a_window_of_a_long_picture(shape, interpolation):
    """It is resized alone, and sees its neighbors all the same."""

    def expected(image):
        resized = functional.resize(image, [130], InterpolationMode(interpolation))
        return np.asarray(functional.center_crop(resized, [112, 112]))

    encoded = {"picture": png(photo(*shape, 3)), "turned": turned(photo(*shape, 3), 6)}
    check(preprocessing(112, resize=130, interpolation=interpolation), expected, encoded)


KINDS = ["flip", "five_crop", "ten_crop"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("resize", [56, 61])
def test_views_are_torchvisions(kind, resize):
    crops = {
        "flip": lambda image: [functional.center_crop(seen, 48) for seen in (image, functional.hflip(image))],
        "five_crop": v2.FiveCrop(48),
        "ten_crop": v2.TenCrop(48),
    }[kind]

    def expected(image):
        return np.stack([np.asarray(crop) for crop in crops(functional.resize(image, resize))])

    encoded = FEW | {"long": png(photo(60, 900, 3))}
    check(preprocessing(48, resize=resize, views=kind), expected, encoded)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("resize", [20, 30])
def test_views_of_a_smaller_picture_are_those_of_the_padded_one(kind, resize):
    """As timm pads, in its mode border; the mirrored picture is padded anew."""
    settings = preprocessing(29, resize=resize, crop_mode="border", mean=[0.4, 0.5, 0.6])
    picture = photo(60, 41, 2)
    views = samples.prepare(picture, samples.pipeline([], settings | {"views": kind}), None)[0]
    plain = samples.prepare(picture, samples.pipeline([], settings), None)[0]
    np.testing.assert_array_equal(views[0 if kind == "flip" else 4], plain)
    if kind != "five_crop":
        mirrored = samples.prepare(picture[:, ::-1], samples.pipeline([], settings), None)[0]
        assert np.abs(views[-1].astype(int) - mirrored).max() <= 1


@pytest.mark.parametrize("mode", ["center", "squash", "border"])
@pytest.mark.parametrize("resize", [None, 72])
def test_training_without_augmentations_ends_as_evaluation(mode, resize):
    """Apart from what a single resampling makes of the edges."""
    settings = preprocessing(64, resize=resize, crop_mode=mode, mean=[0.4, 0.5, 0.6])
    for shape in ((90, 130), (130, 91)):
        picture = texture(*shape, 1)
        pipeline = samples.pipeline([], settings)
        trained = samples.prepare(picture, pipeline, lambda name: np.random.default_rng(0))[0].astype(int)
        evaluated = samples.prepare(picture, pipeline, None)[0]
        assert trained.shape == evaluated.shape == (64, 64, 3)
        assert np.abs(trained - evaluated).mean() < 0.25  # training resizes with OpenCV and torch


def test_the_crop_mode_is_described():
    assert "from the centre of a shorter side of 72" in samples.described(preprocessing(64, resize=72))
    assert "squashed," in samples.described(preprocessing(64, resize=None, crop_mode="squash"))
    assert "squashed to a shorter side of 72" in samples.described(preprocessing(64, resize=72, crop_mode="squash"))
    assert "padded with the mean color" in samples.described(preprocessing(64, resize=None, crop_mode="border"))


def test_the_cache_keeps_the_full_decode_for_evaluation():
    data = FEW["512×512.jpg"]
    pipeline = samples.pipeline([], preprocessing(64, resize=64))
    assert samples.footprint(data, pipeline, [None]) == 3 * 512 * 512
    assert samples.footprint(data, pipeline, [lambda name: np.random.default_rng(0)]) == 3 * 64 * 64
