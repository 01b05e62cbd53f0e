"""Fog, snow, frost and spatter: formulas written again with SciPy, and the statistics of what is random."""

import math

import cv2
import numpy as np
import pytest
from pictures import texture
from scipy import ndimage

from ftaug.image.augmentations.corruption import CIFAR, IMAGENET
from ftaug.image.render import weather_corruptions
from ftaug.image.render.weather_corruptions import clouds

PUBLISHED_FOG = {224: [(1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)]}
PUBLISHED_FOG[32] = [(0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)]
PUBLISHED_SNOW = {
    224: [
        (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
        (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
        (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
        (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
        (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
    ],
    32: [
        (0.1, 0.2, 1, 0.6, 8, 3, 0.95),
        (0.1, 0.2, 1, 0.5, 10, 4, 0.9),
        (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
        (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
        (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
    ],
}
PUBLISHED_SPATTER = {
    224: [
        (0.65, 0.3, 4, 0.69, 0.6, 0),
        (0.65, 0.3, 3, 0.68, 0.6, 0),
        (0.65, 0.3, 2, 0.68, 0.5, 0),
        (0.65, 0.3, 1, 0.65, 1.5, 1),
        (0.67, 0.4, 1, 0.65, 1.5, 1),
    ],
    32: [
        (0.62, 0.1, 0.7, 0.7, 0.5, 0),
        (0.65, 0.1, 0.8, 0.7, 0.5, 0),
        (0.65, 0.3, 1, 0.69, 0.5, 0),
        (0.65, 0.1, 0.7, 0.69, 0.6, 1),
        (0.65, 0.1, 0.5, 0.68, 0.6, 1),
    ],
}
PUBLISHED_FROST = {224: [(1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75)]}
PUBLISHED_FROST[32] = [(1, 0.2), (1, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45)]
TABLES = {224: IMAGENET, 32: CIFAR}
SIDES = pytest.mark.parametrize("side", [224, 32])


def corrupted(name, side, level, x):
    constants = TABLES[side][name][level]
    return getattr(weather_corruptions, name)(constants, np.random.default_rng(level), x).clip(0, 1)


def plasma(rng, side, decay):
    """The diamond-square algorithm point by point, on a torus."""
    heights, step, wibble = np.zeros((side, side)), side, 100.0
    while step >= 2:
        half = step // 2
        for points, neighbors in (
            ([(half, half)], [(-half, -half), (-half, half), (half, -half), (half, half)]),
            ([(0, half), (half, 0)], [(-half, 0), (half, 0), (0, -half), (0, half)]),
        ):
            for down, right in points:
                for y in range(down, side, step):
                    for x in range(right, side, step):
                        around = [heights[(y + dy) % side, (x + dx) % side] for dy, dx in neighbors]
                        heights[y, x] = np.mean(around) + wibble * rng.uniform(-wibble, wibble)
        step, wibble = half, wibble / decay
    heights -= heights.min()
    return heights / heights.max()


@pytest.mark.parametrize("decay", [1.4, 2, 3])
def test_clouds_are_a_plasma_fractal(decay):
    """The same draws in the same order give the same heights."""
    expected = plasma(np.random.default_rng(3), 32, decay)
    np.testing.assert_allclose(clouds(np.random.default_rng(3), 32, decay), expected, atol=1e-12)


@pytest.mark.parametrize(("length", "side"), [(1, 2), (8, 8), (9, 16), (224, 256)])
def test_clouds_have_a_power_of_two_as_side(length, side):
    assert clouds(np.random.default_rng(0), length, 2).shape == (side, side)


@SIDES
def test_fog(side):
    x = texture(side, side) / 255
    for level, (thickness, decay) in enumerate(PUBLISHED_FOG[side]):
        layer = clouds(np.random.default_rng(level), side, decay)[:side, :side, None]
        expected = (x + thickness * layer) * x.max() / (x.max() + thickness)
        np.testing.assert_allclose(corrupted("fog", side, level, x), expected.clip(0, 1), atol=1e-12)


@SIDES
def test_snow(side):
    x = texture(side, side) / 255
    for level, (mean, deviation, size, threshold, radius, spread, share) in enumerate(PUBLISHED_SNOW[side]):
        rng = np.random.default_rng(level)
        layer = rng.normal(mean, deviation, (side, side))
        cropped = math.ceil(side / size)
        top = (side - cropped) // 2
        layer = ndimage.zoom(layer[top : top + cropped, top : top + cropped], size, order=1)
        trim = (len(layer) - side) // 2
        layer = layer[trim : trim + side, trim : trim + side]
        layer[layer < threshold] = 0
        layer = np.uint8(layer.clip(0, 1) * 255)
        angle, blurred = math.radians(rng.uniform(-135, -45)), np.zeros((side, side))
        weights = np.exp(-(np.arange(2 * radius + 1) ** 2) / (2 * spread**2))
        for i, weight in enumerate(weights / weights.sum()):
            dy, dx = math.ceil(i * math.sin(angle) - 0.5), math.ceil(i * math.cos(angle) - 0.5)
            blurred += weight * ndimage.shift(layer.astype(float), (-dy, -dx), order=0, mode="nearest")
        flakes = np.round(blurred)[..., None] / 255
        gray = cv2.cvtColor(x.astype(np.float32), cv2.COLOR_RGB2GRAY)[..., None]
        white = share * x + (1 - share) * np.maximum(x, gray * 1.5 + 0.5)
        expected = (white + flakes + np.rot90(flakes, 2)).clip(0, 1)
        np.testing.assert_allclose(corrupted("snow", side, level, x), expected, atol=1.01 / 255)


@SIDES
def test_mud_and_water(side):
    """Where there is none the image is unchanged; mud is brown, and water lightens by up to its strength."""
    x = np.full((side, side, 3), 0.25)
    for level, (mean, deviation, size, threshold, strength, is_mud) in enumerate(PUBLISHED_SPATTER[side]):
        result = corrupted("spatter", side, level, x)
        rng = np.random.default_rng(level)
        liquid = ndimage.gaussian_filter(rng.normal(mean, deviation, (side, side)), size, mode="nearest", truncate=4)
        hit = (result != x).any(axis=2)
        if is_mud:
            amount = ndimage.gaussian_filter((liquid > threshold).astype(float), strength, mode="nearest", truncate=4)
            amount = np.where(amount < 0.8, 0, amount)[..., None]
            np.testing.assert_allclose(result, x * (1 - amount) + np.array([63, 42, 20]) / 255 * amount, atol=1e-9)
            assert hit.mean() > 0.01
        else:
            assert not hit[liquid < threshold - 0.01].any()
            assert (result - x).max() <= strength * 238 / 255 + 1e-6
            if hit.any():
                np.testing.assert_allclose((result - x)[hit, 0] / (result - x)[hit, 1], 175 / 238, rtol=1e-6)
                assert (result - x).max() > 0.9 * strength * 238 / 255


def test_water_is_there_in_large_pictures():
    x = np.full((224, 224, 3), 0.25)
    assert all(0.005 < (corrupted("spatter", 224, level, x) != x).any(axis=2).mean() < 0.6 for level in range(3))


@SIDES
def test_frost_is_light_and_bluish_and_darkens_the_image_by_the_published_share(side):
    black, white = np.zeros((side, side, 3)), np.ones((side, side, 3))
    for level, (share, ice) in enumerate(PUBLISHED_FROST[side]):
        constants = TABLES[side]["frost"][level]
        layer, over = (weather_corruptions.frost(constants, np.random.default_rng(level), x) for x in (black, white))
        np.testing.assert_allclose(over - layer, share)
        assert 0.3 < layer.mean() / ice < 0.7 and layer.max() <= ice
        assert (layer[..., 2] >= layer[..., 0]).all()
