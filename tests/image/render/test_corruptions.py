"""The common corruptions by the published constants, written again with SciPy, Pillow and colorsys.

The bound is one level of 255, which is where truncation falls; of `elastic_transform` two, since its warps interpolate
in single precision.
"""

import colorsys
import io
import math

import numpy as np
import pytest
from pictures import texture
from PIL import Image
from scipy import ndimage

from ftaug.image.augmentations.corruption import CIFAR, IMAGENET, corrupted
from ftaug.image.render import corruptions

PUBLISHED = {  # of 224 pixels and of 32
    "gaussian_blur": ([1, 2, 3, 4, 6], [0.4, 0.6, 0.7, 0.8, 1]),
    "defocus_blur": (
        [(3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)],
        [(0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)],
    ),
    "motion_blur": ([(10, 3), (15, 5), (15, 8), (15, 12), (20, 15)], [(6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)]),
    "zoom_blur": (
        [np.arange(1, *c) for c in ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03))],
        [np.arange(1, c, 0.01) for c in (1.06, 1.11, 1.16, 1.21, 1.26)],
    ),
    "brightness": ([0.1, 0.2, 0.3, 0.4, 0.5], [0.05, 0.1, 0.15, 0.2, 0.3]),
    "contrast": ([0.4, 0.3, 0.2, 0.1, 0.05], [0.75, 0.5, 0.4, 0.3, 0.15]),
    "saturate": (
        [(0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)],
        [(0.3, 0), (0.1, 0), (1.5, 0), (2, 0.1), (2.5, 0.2)],
    ),
    "pixelate": ([0.6, 0.5, 0.4, 0.3, 0.25], [0.95, 0.9, 0.85, 0.75, 0.65]),
    "jpeg_compression": ([25, 18, 15, 10, 7], [80, 65, 58, 50, 40]),
    "glass_blur": (
        [(0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)],
        [(0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)],
    ),
    "elastic_transform": (
        [(244 * a, 244 * b, 244 * c) for a, b, c in ((2, 0.7, 0.1), (2, 0.08, 0.2), (0.05, 0.01, 0.02))]
        + [(244 * 0.07, 244 * 0.01, 244 * 0.02), (244 * 0.12, 244 * 0.01, 244 * 0.02)],
        [(0, 0, 2.56), (1.6, 6.4, 2.24), (2.56, 1.92, 1.92), (3.2, 1.28, 1.6), (3.2, 0.96, 0.96)],
    ),
}
NOISE = {
    "gaussian_noise": ([0.08, 0.12, 0.18, 0.26, 0.38], [0.04, 0.06, 0.08, 0.09, 0.10]),
    "shot_noise": ([60, 25, 12, 5, 3], [500, 250, 100, 75, 50]),
    "impulse_noise": ([0.03, 0.06, 0.09, 0.17, 0.27], [0.01, 0.02, 0.03, 0.05, 0.07]),
    "speckle_noise": ([0.15, 0.2, 0.35, 0.45, 0.6], [0.06, 0.1, 0.12, 0.16, 0.2]),
}
TABLES = {224: IMAGENET, 32: CIFAR}
LEVELS = range(5)


def per_channel(x, filtered):
    return np.stack([filtered(x[..., channel]) for channel in range(3)], axis=-1)


def gaussian(x, c):
    return per_channel(x, lambda values: ndimage.gaussian_filter(values, c, mode="nearest", truncate=4))


def defocus(x, c):
    radius, softness = c
    reach = 8 if radius <= 8 else radius
    grid = np.arange(-reach, reach + 1)
    disk = (grid[:, None] ** 2 + grid**2 <= radius**2).astype(float)
    disk /= disk.sum()
    taps = np.exp(-(np.arange(-(k := 1 if radius <= 8 else 2), k + 1) ** 2) / (2 * softness**2))
    taps /= taps.sum()
    for axis in (0, 1):
        disk = ndimage.convolve1d(disk, taps, axis, mode="mirror")
    return per_channel(x, lambda values: ndimage.correlate(values, disk, mode="mirror"))


def motion(x, c, rng):
    """ImageMagick's MotionBlurImage."""
    angle = math.radians(rng.uniform(-45, 45))
    kernel = [math.exp(-(i**2) / (2 * c[1] ** 2)) for i in range(2 * c[0] + 1)]
    total = np.zeros_like(x)
    for i, weight in enumerate(kernel):
        dy, dx = math.ceil(i * math.sin(angle) - 0.5), math.ceil(i * math.cos(angle) - 0.5)
        total += weight / sum(kernel) * ndimage.shift(x, (-dy, -dx, 0), order=0, mode="nearest")
    return np.round(total * 255) / 255


def zoom(x, factors):
    total, side = x.copy(), len(x)
    for factor in factors:
        cropped = math.ceil(side / factor)
        top = (side - cropped) // 2
        large = ndimage.zoom(x[top : top + cropped, top : top + cropped], (factor, factor, 1), order=1)
        trim = (len(large) - side) // 2
        total += large[trim : trim + side, trim : trim + side]
    return total / (len(factors) + 1)


def in_hsv(x, change):
    flat = [colorsys.hsv_to_rgb(*change(*colorsys.rgb_to_hsv(*pixel))) for pixel in x.reshape(-1, 3).tolist()]
    return np.reshape(flat, x.shape)


def glass(x, c, rng):
    deviation, reach, rounds = c
    pixels = np.uint8(gaussian(x, deviation) * 255)
    for _ in range(rounds):
        shifts = rng.integers(-reach, reach, (*pixels.shape[:2], 2))
        for h in range(len(x) - reach, reach, -1):
            for w in range(len(x) - reach, reach, -1):
                dy, dx = shifts[h, w]
                pixels[h, w] = pixels[h + dy, w + dx]
    return gaussian(pixels / 255, deviation)


def elastic(x, c, rng):
    side = len(x)
    center, reach = side // 2, side // 3
    before = np.array([[center + reach, center + reach], [center + reach, center - reach], [center - reach] * 2], float)
    after = before + rng.uniform(-c[2], c[2], (3, 2))
    affine = np.linalg.solve(np.c_[before, np.ones(3)], after).T  # (x, y, 1) -> (x, y)
    inverse = np.linalg.inv(affine[:, :2])
    y, x_ = np.mgrid[:side, :side]
    u, v = np.einsum("ij,jhw->ihw", inverse, np.stack([x_, y]) - affine[:, 2, None, None])
    warped = per_channel(x, lambda values: ndimage.map_coordinates(values, [v, u], order=1, mode="mirror"))

    def smooth():
        return ndimage.gaussian_filter(rng.uniform(-1, 1, (side, side)), c[1], mode="reflect", truncate=3) * c[0]

    across = smooth()
    down = smooth()
    return per_channel(
        warped, lambda values: ndimage.map_coordinates(values, [y + down, x_ + across], order=1, mode="reflect")
    )


def pixelated(x, c):
    picture, side = Image.fromarray(np.uint8(np.round(x * 255))), len(x)
    small = picture.resize((int(side * c), int(side * c)), Image.BOX)
    return np.asarray(small.resize((side, side), Image.BOX)) / 255


def compressed(x, c):
    file = io.BytesIO()
    Image.fromarray(np.uint8(np.round(x * 255))).save(file, "JPEG", quality=c)
    return np.asarray(Image.open(file)) / 255


ORACLES = {
    "gaussian_blur": lambda x, c, rng: gaussian(x, c),
    "defocus_blur": lambda x, c, rng: defocus(x, c),
    "motion_blur": motion,
    "zoom_blur": lambda x, c, rng: zoom(x, c),
    "brightness": lambda x, c, rng: in_hsv(x, lambda h, s, v: (h, s, min(v + c, 1))),
    "contrast": lambda x, c, rng: (x - x.mean(axis=(0, 1))) * c + x.mean(axis=(0, 1)),
    "saturate": lambda x, c, rng: in_hsv(x, lambda h, s, v: (h, min(s * c[0] + c[1], 1), v)),
    "pixelate": lambda x, c, rng: pixelated(x, c),
    "jpeg_compression": lambda x, c, rng: compressed(x, c),
    "glass_blur": glass,
    "elastic_transform": elastic,
}


def picture(side):
    """A texture with a gray, a black and a white corner."""
    pixels = texture(side, side, finest=3)
    edge = side // 8
    pixels[:edge, :edge], pixels[-edge:, :edge], pixels[:edge, -edge:] = 100, 0, 255
    return pixels


SLOW_ORACLES = ("brightness", "saturate", "glass_blur", "elastic_transform")
"""Of loops over pixels, or of very wide filters."""
CASES = [
    pytest.param(name, side, marks=pytest.mark.slow if name in SLOW_ORACLES and side == 224 else ())
    for name in PUBLISHED
    for side in (224, 32)
]


@pytest.mark.parametrize(("name", "side"), CASES)
def test_pixels_are_those_of_the_published_constants(name, side):
    pixels = picture(side)
    for level in LEVELS:
        constants = PUBLISHED[name][side == 32][level]
        expected = ORACLES[name](pixels / 255, constants, np.random.Generator(np.random.SFC64(level)))
        result = corrupted(name, TABLES[side][name][level], level, pixels)
        difference = np.abs(result.astype(int) - np.uint8(expected.clip(0, 1) * 255 + 1e-6))
        bound = 2 if name == "elastic_transform" else 1
        assert difference.max() <= bound, (level, difference.max())
        assert (difference > 0).mean() < 0.3


@pytest.mark.parametrize("name", NOISE)
@pytest.mark.parametrize("side", [224, 32])
def test_noise_has_the_published_strength(name, side):
    gray = np.full((300, 300, 3), 128 / 255)
    for level in LEVELS:
        published = NOISE[name][side == 32][level]
        (constant,) = TABLES[side][name][level]
        noisy = getattr(corruptions, name)((constant,), np.random.default_rng(level), gray)
        if name == "impulse_noise":
            assert (noisy != gray).mean() == pytest.approx(published, rel=0.03)
            assert (noisy == 1).mean() == pytest.approx(published / 2, rel=0.05)
            continue
        factor = {"gaussian_noise": 1, "speckle_noise": 128 / 255}.get(name)
        deviation = math.sqrt(128 / 255 / published) if name == "shot_noise" else factor * published
        assert noisy.std() == pytest.approx(deviation, rel=0.01)
        assert noisy.mean() == pytest.approx(128 / 255, abs=0.005)


def test_channels_have_noise_of_their_own():
    noisy = corrupted("impulse_noise", (0.1,), 0, np.full((64, 64, 3), 128, np.uint8)) != 128
    assert 0 < (noisy[..., 0] & noisy[..., 1]).mean() < 0.03


@pytest.mark.parametrize("shape", [(1, 1), (2, 7), (40, 23), (130, 100)])
@pytest.mark.parametrize("name", sorted(IMAGENET))
def test_any_size_is_corrupted(name, shape):
    pixels = texture(*shape)
    result = corrupted(name, (CIFAR if min(shape) < 96 else IMAGENET)[name][4], 0, pixels)
    assert (result.shape, result.dtype) == (pixels.shape, np.uint8)
