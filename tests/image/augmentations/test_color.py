"""Colors against torchvision's and Pillow's, and what is bounded where they differ."""

import numpy as np
import pytest
import torch
from pictures import augmentation, augmented, texture
from torchvision.transforms.v2 import functional

from ftaug.image.augmentations.pipeline import apply
from ftaug.image.augmentations.transforms import Canvas, ColorMatrix
from ftaug.image.io.decode import opened

CANVAS = Canvas(40, 50, (40, 50))


def drawn(name, seed=0, **settings):
    return augmentation(name, **settings)(CANVAS, np.random.default_rng(seed))


def shown(pixels, *draws):
    return apply(draws, opened(pixels), "bilinear").astype(int)


def by_torchvision(adjust, pixels, *arguments):
    tensor = torch.from_numpy(pixels).permute(2, 0, 1)
    return adjust(tensor, *arguments).permute(1, 2, 0).numpy().astype(int)


@pytest.mark.parametrize("seed", range(5))
def test_brightness_is_torchvisions(seed):
    pixels, color = texture(40, 50, seed), drawn("brightness", seed, strength=0.9)
    expected = by_torchvision(functional.adjust_brightness, pixels, color.matrix[0, 0])
    assert np.abs(shown(pixels, color) - expected).max() <= 1


@pytest.mark.parametrize("seed", range(5))
def test_contrast_is_torchvisions(seed):
    pixels, color = texture(40, 50, seed), drawn("contrast", seed, strength=0.9)
    expected = by_torchvision(functional.adjust_contrast, pixels, color.matrix[0, 0])
    assert np.abs(shown(pixels, color) - expected).max() <= 1


@pytest.mark.parametrize("seed", range(5))
def test_saturation_is_torchvisions(seed):
    pixels, color = texture(40, 50, seed), drawn("saturation", seed, strength=0.9)
    factor = color.matrix[0, 0] - color.matrix[1, 0]
    expected = by_torchvision(functional.adjust_saturation, pixels, factor)
    assert np.abs(shown(pixels, color) - expected).max() <= 2  # torchvision rounds the gray down first


def test_grayscale_and_invert_are_torchvisions():
    pixels = texture(40, 50)
    gray = by_torchvision(lambda t: functional.rgb_to_grayscale(t, 3), pixels)
    assert np.abs(shown(pixels, drawn("grayscale", probability=1)) - gray).max() <= 1
    inverted = by_torchvision(functional.invert, pixels)
    np.testing.assert_array_equal(shown(pixels, drawn("invert", probability=1)), inverted)


@pytest.mark.parametrize("seed", range(5))
def test_factors_stay_within_the_strength(seed):
    for name in ("brightness", "contrast", "saturation"):
        matrix = drawn(name, seed, strength=0.3).matrix
        factor = matrix[0, 0] - matrix[1, 0]
        assert 0.7 <= factor <= 1.3


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation", "hue"])
def test_no_strength_is_no_change(name):
    pixels = texture(40, 50)
    np.testing.assert_array_equal(augmented(pixels, augmentation(name, strength=0)), pixels)


ALL_COLORS = np.stack(np.meshgrid(*[np.arange(0, 256, 15, dtype=np.uint8)] * 3), axis=-1).reshape(18, -1, 3)


def hue_of(turn):
    """The color that hue draws when it draws this turn."""

    class Always:
        shares = iter([turn + 0.5, 0.0])

        def random(self):
            return next(self.shares)

    return augmentation("hue", strength=0.5)(CANVAS, Always())


@pytest.mark.parametrize("turn", [1 / 3, -1 / 3])
def test_a_third_of_a_circle_of_hue_is_torchvisions(turn):
    expected = by_torchvision(functional.adjust_hue, ALL_COLORS, turn)
    assert np.abs(shown(ALL_COLORS, hue_of(turn)) - expected).max() <= 1


@pytest.mark.parametrize("turn", [0.01, -0.05, 0.1, -0.2, 0.5])
def test_hue_differs_from_torchvisions_no_more_than_the_docs_say(turn):
    expected = by_torchvision(functional.adjust_hue, ALL_COLORS, turn)
    difference = np.abs(shown(ALL_COLORS, hue_of(turn)) - expected)
    assert difference.max() <= 85
    assert difference.mean() < np.abs(expected - ALL_COLORS).mean(), "nearer to it than no turn"


@pytest.mark.parametrize("turn", np.linspace(-0.5, 0.5, 7))
def test_hue_keeps_grays(turn):
    np.testing.assert_allclose(hue_of(turn).matrix[:3, :3] @ [1, 1, 1], [1, 1, 1], atol=1e-9)


def test_a_color_of_anything_composes():
    rng = np.random.default_rng(0)
    first, second = (
        ColorMatrix.of(rng.normal(size=(3, 3)), by_mean=rng.normal(size=(3, 3)), constant=rng.normal())
        for _ in range(2)
    )
    cloud = rng.normal(size=(9, 3))

    def after(color, cloud):
        matrix = color.for_mean(cloud.mean(axis=0))
        return cloud @ matrix[:, :3].T + matrix[:, 3]

    np.testing.assert_allclose(after(first.then(second), cloud), after(second, after(first, cloud)), atol=1e-9)


@pytest.mark.parametrize("order", [("rotate", "invert"), ("invert", "rotate")])
def test_the_black_outside_stays_black(order):
    pixels = np.full((60, 60, 3), 200, np.uint8)
    settings = {"rotate": {"degrees": 45}, "invert": {"probability": 1}}
    result = augmented(pixels, *(augmentation(name, **settings[name]) for name in order))
    assert set(np.unique(result[28:32, 28:32])) == {55}
    corners = {tuple(result[y, x]) for y in (0, -1) for x in (0, -1)}
    assert corners == {(0, 0, 0)}
    assert result.max() == 55, "no bright seam between the picture and the black"


def test_contrast_goes_by_the_mean_of_the_picture_without_the_black():
    pixels = np.full((60, 60, 3), 200, np.uint8)
    shrunk = augmentation("scale", factor=(0.5, 0.5))
    result = augmented(pixels, shrunk, augmentation("contrast", strength=1.0))
    assert (result[20:40, 20:40] == 200).all(), "a picture of one color has no contrast to change"


@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_values_are_clipped_between_colors_as_by_torchvision(seed, separate):
    """But for rounding to whole levels in between, which a later factor of 1.8 makes larger."""
    pixels = texture(40, 50, seed, finest=2)
    pixels = np.clip(2.5 * (pixels.astype(float) - 128) + 128, 0, 255).astype(np.uint8)  # many near black and white
    adjust = {name: getattr(functional, f"adjust_{name}") for name in ("brightness", "contrast", "saturation")}
    draws = drawn("color_jitter", seed, brightness=0.8, contrast=0.8, saturation=0.8, hue=0)
    if separate:
        draws = [drawn(name, seed + i, strength=0.8) for i, name in enumerate(adjust)]
        draws = [draw.with_params(**{name: draw.values["factor"]}) for draw, name in zip(draws, adjust, strict=True)]
    expected = torch.from_numpy(pixels).permute(2, 0, 1) / 255
    for draw in draws:
        ((name, amount),) = draw.values.items()
        expected = adjust[name](expected, amount) if name != "hue" else expected
    difference = np.abs(shown(pixels, *draws) - 255 * expected.permute(1, 2, 0).numpy())
    assert difference.max() <= 3.2
    assert difference.mean() < 0.6
