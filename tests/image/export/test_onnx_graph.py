"""The preprocessing in an exported file shows a network what evaluation and the libraries' own transforms show it."""

from functools import cache
from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from pictures import preprocessing
from PIL import Image
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

from ftaug.errors import ExperimentError
from ftaug.image import samples
from ftaug.image.backbones import timm as timm_networks
from ftaug.image.backbones import torchvision as torchvision_networks
from ftaug.image.export.onnx_axis import SMALL
from ftaug.image.export.onnx_graph import graph
from ftaug.image.export.preprocessor import Preprocessing

ONNX_MEAN, ONNX_LARGEST = 0.005, 1
"""Gray levels between the graph and evaluation where an axis shrinks to more than 64 pixels; else there are none."""

FEW = ((2, 3), (3, 2), (97, 224), (301, 203))
MORE = ((375, 500), (1024, 683), (61, 700), (3000, 4000))


@cache
def picture(height, width):
    if height * width < 100:
        return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    if height * width > 10**6:
        return np.tile(photo(height // 4, width // 4, 1), (4, 4, 1))
    return photo(height, width, 1)


def in_onnx(settings, opset=18):
    model = onnx.parser.parse_model(graph(settings, opset))
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return lambda images: session.run(["pixels"], {"images": images})[0].transpose(0, 2, 3, 1)


def in_torch(settings):
    module = Preprocessing(settings)
    return lambda images: module(torch.from_numpy(images)).permute(0, 2, 3, 1).numpy()


def check(settings, sizes, by_library=None, run=in_onnx, mean=ONNX_MEAN, largest=ONNX_LARGEST):
    """Compare pixels with those of evaluation, and of a library's function of a PIL image."""
    function, pipeline = run(settings), samples.pipeline([], settings)
    for size in sizes:
        (found,) = function(picture(*size)[None])
        difference = np.abs(found.astype(int) - samples.prepare(picture(*size), pipeline, None)[0])
        assert difference.max() <= largest and difference.mean() <= mean, (size, difference.max(), difference.mean())
        if by_library is not None:
            difference = np.abs(found.astype(int) - by_library(Image.fromarray(picture(*size))))
            assert difference.mean() <= MEAN and np.percentile(difference, 99) <= AT_99_PERCENT, size


def settings_of(config):
    return timm_networks.preprocessing_of(SimpleNamespace(pretrained_cfg=config))


QUICK = quick_configurations()


@pytest.mark.parametrize("key", QUICK)
def test_each_crop_and_filter_of_timm(key):
    check(settings_of(TIMM[key]), FEW, by_timm(TIMM[key]))


def test_a_preset_of_torchvision():
    weights = TORCHVISION["224 of 256 bilinear"]
    check(torchvision_networks.preprocessing_of(weights), FEW, by_torchvision(weights))


SIMPLE_RATIO = 0.05
"""Mean difference in gray levels: at simple ratios, such as 25 to 17, many values lie halfway between two levels."""


@pytest.mark.slow
@pytest.mark.parametrize("key", TORCHVISION)
def test_torchvision_presets_up_to_12_megapixels(key):
    weights = TORCHVISION[key]
    settings = torchvision_networks.preprocessing_of(weights)
    check(settings, FEW + MORE, by_torchvision(weights), mean=SIMPLE_RATIO)
    check(settings, FEW + MORE, run=in_torch, mean=0, largest=0)


@pytest.mark.slow
@pytest.mark.parametrize("key", [*TIMM][:: max(1, len(TIMM) // 40)] + QUICK)
def test_timm_configurations_up_to_12_megapixels(key):
    check(settings_of(TIMM[key]), FEW + MORE, by_timm(TIMM[key]), mean=SIMPLE_RATIO)
    check(settings_of(TIMM[key]), FEW + MORE, run=in_torch, mean=0, largest=0)


WAYS = {
    "squashed": {"resize": None},
    "cropped": {"resize": 73, "interpolation": "bicubic"},
    "padded": {"size": [64, 96], "resize": 61},
    "squash": {"resize": 70, "crop_mode": "squash", "interpolation": "bicubic"},
    "border": {"resize": None, "crop_mode": "border", "mean": [0.1, 0.5, 0.9]},
    "border and crop": {"resize": 80, "crop_mode": "border", "size": [64, 96], "interpolation": "bicubic"},
}


@pytest.mark.parametrize("way", WAYS)
def test_onnx_and_torch_of_all_ways(way):
    settings = preprocessing(64) | WAYS[way]
    shapes = [(height, width) for height in (2, 61, 64, 97) for width in (3, 64, 111)]
    exact = {"mean": 0, "largest": 0}
    check(settings, shapes, **(exact if max(settings["size"]) <= SMALL else {}))
    check(settings, shapes, run=in_torch, **exact)


@pytest.mark.parametrize("run", [in_onnx, in_torch])
def test_small_inputs_have_the_bits_of_evaluation(run):
    """Of every small size, where many values lie on halves."""
    rng = np.random.default_rng(0)
    for settings in (preprocessing(16, resize=19), preprocessing(16, 24, resize=17, crop_mode="border")):
        check(settings, [tuple(rng.integers(1, 60, 2).tolist()) for _ in range(150)], run=run, mean=0, largest=0)


@pytest.mark.parametrize("run", [in_onnx, in_torch])
@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_images_grow_and_shrink_to_small_inputs_as_by_pillow(interpolation, size, run):
    """Also by ratios such as 8/7, and with weights whose sums overflow 16 bits on some processors."""
    filter = Image.Resampling[interpolation.upper()]
    function = run(preprocessing(size, resize=None, interpolation=interpolation))
    for shape in [(1, 1), (2, 3), (7, 31), (28, 28), (32, 64), (40, 48), (65, 48), (375, 500), (64, 2000), (5000, 1)]:
        rng = np.random.default_rng(0)
        for pixels in (rng.integers(0, 256, (*shape, 3), np.uint8), 255 * rng.integers(0, 2, (*shape, 3), np.uint8)):
            image = Image.fromarray(pixels).resize((size, shape[0]), filter).resize((size, size), filter)
            np.testing.assert_array_equal(function(pixels[None])[0], np.asarray(image), err_msg=str(shape))


@pytest.mark.parametrize("run", [in_onnx, in_torch])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_images_grow_to_large_inputs_as_by_pillow(interpolation, run):
    settings = preprocessing(112, resize=128, interpolation=interpolation)
    check(settings, [(112, 98), (128, 60), (28, 28), (3, 200), (128, 128)], run=run, mean=0, largest=0)


def test_exported_programs_shrink_to_large_inputs_as_by_pillow():
    for interpolation in ("bilinear", "bicubic", "nearest"):
        settings = preprocessing(224, resize=256, interpolation=interpolation)
        check(settings, [(375, 500), (1700, 257), (512, 448), (90, 70)], run=in_torch, mean=0, largest=0)


@pytest.mark.parametrize("run", [in_onnx, in_torch])
def test_of_a_very_long_picture_only_the_window_is_resized(run):
    """All of it would be 3.8 GB, and the rows of ten million pixels."""
    picture = np.random.default_rng(0).integers(0, 256, (1, 50_000, 3), np.uint8)
    settings = preprocessing(112, resize=160)
    (found,) = run(settings)(picture[None])
    np.testing.assert_array_equal(found, samples.prepare(picture, samples.pipeline([], settings), None)[0])


@pytest.mark.parametrize("size", [40, 96])
def test_an_exported_program_takes_images_of_any_size(size):
    """Nothing that is assumed of the sizes while it is traced may fail later."""
    module = Preprocessing(preprocessing(size, resize=None, crop_mode="border"))
    axes = {axis: torch.export.Dim(name) for axis, name in enumerate(("batch", "height", "width"))}
    traced = torch.export.export(module, (torch.zeros((2, 331, 457, 3), dtype=torch.uint8),), dynamic_shapes=(axes,))
    for shape in [(1, 1, 9), (1, 9, 1), (3, 40, 90), (2, 96, 40), (1, 2, 3)]:
        images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8))
        torch.testing.assert_close(traced.module()(images), module(images), rtol=0, atol=0)


def test_pictures_of_one_size_go_in_together():
    images = np.stack([photo(60, 80, seed) for seed in range(3)])
    together = in_onnx(preprocessing(32, resize=36), opset=20)(images)
    alone = np.concatenate([in_onnx(preprocessing(32, resize=36))(image[None]) for image in images])
    np.testing.assert_array_equal(together, alone)


def test_a_filter_that_onnx_does_not_have_is_refused():
    with pytest.raises(ExperimentError, match="'nearest'; it has bilinear and bicubic; use input: pixels"):
        graph(preprocessing(32, interpolation="nearest"), 18)
