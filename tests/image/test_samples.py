"""The way of a picture to the model without augmentation, against torchvision's."""

import numpy as np
import pytest
import torch
from pictures import AUGMENTATIONS, augmentation, jpeg, preprocessing, ramp, streams, texture
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional

from ftaug.errors import BadData
from ftaug.image import samples
from ftaug.image.io.decode import decode


def for_evaluation(raw, **changes):
    return samples.prepare(raw, samples.pipeline([], preprocessing(**changes)), None)[0]


def by_torchvision(pixels, size, resize, interpolation="bilinear"):
    image = Image.fromarray(pixels)
    mode = InterpolationMode(interpolation)
    if resize is None:
        return np.asarray(functional.resize(image, list(size), mode))
    return np.asarray(functional.center_crop(functional.resize(image, [resize], mode), list(size)))


@pytest.mark.parametrize("shape", [(375, 500), (500, 375), (333, 481), (224, 224), (100, 140), (97, 513), (1, 1)])
@pytest.mark.parametrize("resize", [224, 256, 232, None])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_evaluation_is_torchvisions_resize_and_center_crop(shape, resize, interpolation):
    pixels = texture(*shape)
    ours = for_evaluation(pixels, height=224, resize=resize, interpolation=interpolation).astype(int)
    assert ours.shape == (224, 224, 3)
    difference = np.abs(ours - by_torchvision(pixels, (224, 224), resize, interpolation))
    assert difference.max() <= 2
    assert (difference > 1).mean() < 0.001, "Pillow rounds twice, after rows and after columns"


def test_evaluation_by_nearest_neighbour_takes_pixels_as_they_are():
    digits = np.arange(64, dtype=np.uint8).reshape(8, 8)
    ours = for_evaluation(digits, height=32, resize=32, interpolation="nearest")
    np.testing.assert_array_equal(ours, np.repeat(np.kron(digits, np.ones((4, 4), np.uint8))[..., None], 3, 2))


def test_evaluation_of_a_rectangle():
    pixels = texture(300, 200)
    ours = for_evaluation(pixels, height=96, width=160, resize=176).astype(int)
    assert np.abs(ours - by_torchvision(pixels, (96, 160), 176)).max() <= 1


def test_a_crop_larger_than_the_resized_picture_is_black_around_it():
    pixels = np.full((40, 50, 3), 200, np.uint8)
    ours = for_evaluation(pixels, height=64, resize=32)
    assert ours.shape == (64, 64, 3)
    assert (ours[0] == 0).all()
    assert (ours[20:44, 20:44] == 200).all()


@pytest.mark.parametrize("shape", [(750, 1000), (1111, 777), (1001, 1503)])
def test_a_large_jpeg_in_training_is_near_to_its_full_decode(shape):
    """The smaller decode changes less than the choice of a filter does; evaluation decodes all of it."""
    pixels = texture(*shape, finest=6)
    data = jpeg(pixels, quality=92)
    expected = by_torchvision(decode(data), (224, 224), 256)
    for_training = samples.prepare(data, samples.pipeline([], preprocessing(224, resize=256)), streams())[0]
    difference = for_training.astype(int) - expected
    other_filter = by_torchvision(decode(data), (224, 224), 256, "bicubic").astype(int) - expected
    print(shape, np.abs(difference).mean(), np.abs(other_filter).mean(), difference.mean())
    assert np.abs(difference).mean() < np.abs(other_filter).mean()
    assert abs(difference.mean()) < 0.3
    evaluated = for_evaluation(data, height=224, resize=256).astype(int)
    assert np.abs(evaluated - expected).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_large_turned_jpeg_is_shown_upright(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = jpeg(ramp(1003, 1206, slope=0.2), quality=95, exif=exif)
    upright = samples.prepare(data, samples.pipeline([], preprocessing(64, resize=None)), None)[0].astype(int)
    expected = by_torchvision(decode(data), (64, 64), None)
    assert np.abs(upright - expected).max() <= 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 20000), (20000, 1), (3, 700), (2, 2)])
def test_extreme_shapes_reach_the_model(shape):
    raw = np.full(shape, 90, np.uint8)
    crop = samples.pipeline([augmentation("random_resized_crop"), augmentation("rotate")], preprocessing(32))
    assert samples.prepare(raw, crop, streams())[0].shape == (32, 32, 3)
    assert (for_evaluation(raw, height=32) == 90).all()
    assert (for_evaluation(raw, height=32, resize=None) == 90).all()


def test_bad_data_is_said():
    with pytest.raises(BadData, match="not a picture"):
        for_evaluation(b"hello")


def test_a_training_pipeline_without_streams_is_the_one_for_evaluation():
    pixels = texture(100, 140)
    augmenting = samples.pipeline([augmentation("rotate"), augmentation("invert", probability=1)], preprocessing(64))
    np.testing.assert_array_equal(samples.prepare(pixels, augmenting, None)[0], for_evaluation(pixels, height=64))


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_samples_drawn_together_are_those_prepared_one_by_one(name):
    """Random streams are shared generators: whatever draws after another sample has drawn gets that one's numbers."""
    pipeline = samples.pipeline([augmentation(name)], preprocessing(16))
    raws = [texture(48, 48, seed) for seed in range(3)]
    drawn = [samples.draw(raw, pipeline, streams(0, i)) for i, raw in enumerate(raws)]
    for i, (raw, (pixels, applied)) in enumerate(zip(raws, drawn, strict=True)):
        expected, expected_applied = samples.prepare(raw, pipeline, streams(0, i))
        np.testing.assert_array_equal(pixels(), expected)
        assert applied == expected_applied


def test_read_only_and_mirrored_arrays():
    pixels = texture(100, 150)
    pixels.flags.writeable = False
    assert for_evaluation(pixels, height=64).shape == (64, 64, 3)
    mirrored = for_evaluation(pixels[:, ::-1], height=64)
    assert np.abs(mirrored[:, ::-1].astype(int) - for_evaluation(pixels, height=64)).max() <= 1


def test_a_batch_is_channels_last_and_uint8():
    pictures = [texture(8, 6, seed) for seed in range(5)]
    batch = samples.collate(pictures)
    assert batch.shape == (5, 3, 8, 6)
    assert batch.dtype == torch.uint8
    assert batch.is_contiguous(memory_format=torch.channels_last)
    for picture, row in zip(pictures, batch, strict=True):
        np.testing.assert_array_equal(row.permute(1, 2, 0).numpy(), picture)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_normalising_is_torchvisions(dtype):
    values = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
    batch = samples.collate([texture(8, 6, seed) for seed in range(5)])
    normalizer = samples.normalizer(preprocessing(**values))
    ours = normalizer(batch.to(dtype))
    torch.testing.assert_close(ours, functional.normalize(batch.float() / 255, **values))
    assert ours.dtype == torch.float32
    assert ours.is_contiguous(memory_format=torch.channels_last)
    assert not normalizer.state_dict()


def test_a_batch_for_one_network_becomes_one_for_another():
    """As a teacher's model sees what was prepared for its student."""
    batch = samples.collate([texture(32, 32, seed) for seed in range(3)])
    small, large = preprocessing(32), preprocessing(64, mean=[0.1, 0.2, 0.3], std=[0.5, 0.6, 0.7])
    seen = samples.translator(small, large)(batch)
    resized = functional.resize(batch.float(), [64, 64], InterpolationMode.BILINEAR, antialias=True) / 255
    expected = functional.normalize(resized, large["mean"], large["std"])
    torch.testing.assert_close(seen, expected, atol=1e-4, rtol=1e-4)
    same = samples.translator(small, small)(batch)
    assert torch.equal(same, samples.normalizer(small)(batch))
