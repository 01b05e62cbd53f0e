"""Ops on the pixels themselves, each against the same computed in another way: scipy, Pillow, torch or by hand."""

import io
import math

import numpy as np
import pytest
import scipy.ndimage
import torch
from pictures import augmentation, augmented, jpeg, ramp, texture
from PIL import Image, ImageDraw, ImageEnhance, JpegImagePlugin
from torch.nn.functional import avg_pool2d, interpolate

from ftaug.image.render import filters


def apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """How far two pictures are apart, in gray levels."""
    assert one.shape == other.shape and one.dtype == np.uint8
    return np.abs(one.astype(float) - other)


def by_scipy(function, pixels: np.ndarray) -> np.ndarray:
    """A function of scipy on every channel, as floats."""
    return np.stack([function(channel) for channel in pixels.transpose(2, 0, 1).astype(float)], axis=-1)


def taken_from(pixels: np.ndarray, x: np.ndarray, y: np.ndarray, mode: str) -> np.ndarray:
    """Every pixel taken bilinearly from (x, y)."""
    return by_scipy(lambda c: scipy.ndimage.map_coordinates(c, [y, x], order=1, mode=mode), pixels)


def resized(values: np.ndarray, height: int, width: int, mode: str) -> np.ndarray:
    """(rows, columns, depth) resized by torch."""
    tensor = torch.from_numpy(values.astype(np.float32)).permute(2, 0, 1)[None]
    return interpolate(tensor, (height, width), mode=mode, align_corners=False)[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize("deviation", [0.3, 0.6, 1.5, 3.2, 25])
def test_gaussian_blur_is_scipys(deviation):
    pixels = texture(60, 80)
    radius = math.ceil(3 * deviation)
    expected = by_scipy(lambda c: scipy.ndimage.gaussian_filter(c, deviation, mode="mirror", radius=radius), pixels)
    assert apart(filters.blurred(deviation, pixels), expected).max() < 0.501, "only the rounding to whole levels"


@pytest.mark.parametrize(("length", "degrees"), [(1, 30), (5, 0), (7.5, 90), (9, 35), (12.3, 110)])
def test_motion_blur_is_the_mean_of_the_picture_moved_along_a_line(length, degrees):
    pixels = texture(60, 80)
    way = np.linspace(-1, 1, 401) * (length - 1) / 2
    turned = math.radians(degrees)
    rows, columns = np.mgrid[0:60, 0:80].astype(float)
    moved = [taken_from(pixels, columns + t * math.cos(turned), rows + t * math.sin(turned), "mirror") for t in way]
    assert apart(filters.motion_blurred(length, degrees, pixels), np.mean(moved, axis=0)).max() <= 2


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.0, 2.5])
def test_sharpness_is_pillows(factor):
    pixels = texture(60, 80)
    expected = np.asarray(ImageEnhance.Sharpness(Image.fromarray(pixels)).enhance(factor))
    assert apart(filters.sharpened(factor, pixels), expected).max() <= 1 + (factor > 1)


@pytest.mark.parametrize("deviation", [0.02, 0.1])
def test_gaussian_noise_is_normal(deviation):
    gray = np.full((200, 200, 3), 128, np.uint8)
    noise = filters.with_gaussian_noise(deviation, 5, gray).astype(float) - 128
    assert abs(noise.mean()) < 4 * 255 * deviation / math.sqrt(noise.size)
    assert noise.std() == pytest.approx(255 * deviation, rel=0.02)
    within = np.mean(np.abs(noise) <= 255 * deviation)
    assert within == pytest.approx(math.erf(math.sqrt(0.5)), abs=0.05)
    channels = np.corrcoef(noise.reshape(-1, 3).T)
    assert np.abs(channels - np.eye(3)).max() < 0.03


@pytest.mark.parametrize("level", [32, 128, 224])
def test_shot_noise_has_the_variance_of_counted_photons(level):
    deviation = 0.08
    flat = np.full((200, 200, 3), level, np.uint8)
    seen = filters.with_shot_noise(deviation, 5, flat).astype(float)
    assert seen.mean() == pytest.approx(level, abs=0.3 + 0.01 * level)  # the brightest are cut off at white
    assert seen.std() == pytest.approx(255 * deviation * math.sqrt(level / 255), rel=0.05 if level < 200 else 0.25)


def test_salt_and_pepper_hit_as_many_pixels_as_asked():
    gray = np.full((300, 300, 3), 128, np.uint8)
    seen = filters.with_salt_and_pepper(9000, 5, gray)
    assert (seen != 128).all(axis=2).sum() == 9000
    assert set(np.unique(seen)) == {0, 128, 255}
    assert np.mean(seen.min(axis=2) == 255) == pytest.approx(0.05, abs=0.004)
    assert np.mean(seen.max(axis=2) == 0) == pytest.approx(0.05, abs=0.004)


@pytest.mark.parametrize("quality", [10, 50, 90])
def test_jpeg_is_pillows(quality):
    pixels = texture(64, 80)
    written = Image.open(io.BytesIO(jpeg(pixels, quality, subsampling="4:2:0")))
    assert JpegImagePlugin.get_sampling(written) == 2
    difference = apart(filters.compressed(quality, pixels), np.asarray(written))
    assert difference.mean() < 0.5 and difference.max() <= 16


@pytest.mark.parametrize("factor", [0.5, 0.25])
def test_downscale_averages_blocks_and_interpolates(factor):
    pixels = texture(64, 80)
    blocks = avg_pool2d(torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1), round(1 / factor))
    expected = resized(np.rint(blocks.permute(1, 2, 0).numpy()), 64, 80, "bilinear")
    assert apart(filters.coarsened(factor, pixels), expected).max() <= 2


def test_clahe_without_limit_and_in_one_part_equalizes_the_lightness():
    pixels = ramp(64, 96, slope=1.0) // 2 + 40
    seen = filters.equalized_locally(1.0, 1e4, 1, pixels).astype(float)
    lightness = np.sort((seen / 255).mean(axis=2).ravel())
    gray = np.repeat(np.arange(60, 120, dtype=np.uint8)[:, None], 40, axis=1)
    flat = filters.equalized_locally(1.0, 1e4, 1, np.stack([gray] * 3, axis=-1))
    assert np.ptp(flat) > 245 and (np.diff(flat[:, 0, 0].astype(int)) >= 0).all()
    assert np.ptp(lightness) > 2 * np.ptp((pixels / 255).mean(axis=2))
    np.testing.assert_array_equal(filters.equalized_locally(0.0, 4.0, 4, pixels), pixels)


def test_elastic_takes_every_pixel_from_where_the_smooth_field_says():
    pixels = texture(60, 80)
    shifts = np.random.default_rng(0).normal(0, 3, (5, 7, 2))
    down, across = (
        resized(np.eye(count)[..., None], length, count, "bicubic")[..., 0] for count, length in ((5, 60), (7, 80))
    )
    deviations = np.sqrt((down**2).sum(1)[:, None] * (across**2).sum(1))
    smooth = resized(shifts, 60, 80, "bicubic") / deviations[..., None]
    rows, columns = np.mgrid[0:60, 0:80]
    expected = taken_from(pixels, columns + smooth[..., 0], rows + smooth[..., 1], "mirror")
    difference = apart(filters.bent(shifts, pixels), expected)
    assert difference.mean() < 0.5 and difference.max() <= 6


def test_a_field_that_is_the_same_everywhere_moves_the_picture():
    pixels = texture(60, 80)
    seen = filters.displaced(np.full((60, 80, 2), [3.0, -2.0], np.float32), pixels)
    np.testing.assert_array_equal(seen[2:, :-3], pixels[:-2, 3:])


def test_grid_distortion_takes_its_lines_from_where_they_were():
    pixels = texture(60, 80)
    columns, rows = np.array([0, 0.1, 0.45, 0.8, 1]), np.array([0, 0.4, 0.6, 1])

    def source(lines: np.ndarray, length: int) -> np.ndarray:
        where = (np.arange(length) + 0.5) / length * (len(lines) - 1)
        cell = np.minimum(where.astype(int), len(lines) - 2)
        return (lines[cell] + (where - cell) * (lines[cell + 1] - lines[cell])) * length - 0.5

    x, y = np.meshgrid(source(columns, 80), source(rows, 60))
    difference = apart(filters.regridded(columns, rows, pixels), taken_from(pixels, x, y, "nearest"))
    assert difference.mean() < 0.5 and difference.max() <= 6


def test_an_even_grid_changes_nothing():
    pixels = texture(60, 80)
    np.testing.assert_array_equal(filters.regridded(np.linspace(0, 1, 6), np.linspace(0, 1, 6), pixels), pixels)


@pytest.mark.parametrize("epoch", range(5))
def test_coarse_dropout_hides_whole_squares_and_no_more_than_its_share(epoch):
    pixels = texture(96, 120) | 1
    op = augmentation("coarse_dropout", probability=1, share=0.5, size=8 / 96, fill="black")
    hidden = (augmented(pixels, op, epoch=epoch) == 0).all(axis=2)
    squares = hidden.reshape(12, 8, 15, 8).mean(axis=(1, 3))
    assert set(np.unique(squares)) <= {0.0, 1.0}
    assert squares.mean() <= 0.5


@pytest.mark.parametrize("share", [0.1, 0.36])
def test_grid_mask_hides_equal_squares_at_equal_distances(share):
    pixels = texture(240, 240) | 1
    op = augmentation("grid_mask", probability=1, share=share, cell=(0.1, 0.1), fill="black")
    hidden = (augmented(pixels, op) == 0).all(axis=2)
    assert hidden.mean() == pytest.approx(share, abs=0.04)
    np.testing.assert_array_equal(hidden[:-24, :-24], hidden[24:, 24:])  # the pitch is a tenth of the side
    across, down = hidden.any(axis=0), hidden.any(axis=1)
    np.testing.assert_array_equal(hidden, down[:, None] & across)
    assert across.mean() == pytest.approx(math.sqrt(share), abs=0.04)


def test_fog_mixes_with_white():
    pixels = texture(60, 80)
    clouds = np.random.default_rng(0).uniform(0, 1, (5, 5))
    thick = resized(clouds[..., None], 60, 80, "bicubic").clip(0, 1)
    share = 0.7 * (0.5 + 0.5 * thick)
    assert apart(filters.fogged(0.7, clouds, pixels), (1 - share) * pixels + share * 255.0).max() <= 1
    assert (filters.fogged(1.0, np.ones((5, 5)), pixels) == 255).all()
    np.testing.assert_array_equal(filters.fogged(0.0, clouds, pixels), pixels)


def test_shadow_darkens_a_polygon_with_a_soft_edge():
    white = np.full((200, 300, 3), 255, np.uint8)
    corners = np.array([[0.2, 0.0], [0.6, 0.0], [0.8, 1.0], [0.4, 1.0]])
    drawn = Image.new("L", (300, 200))
    ImageDraw.Draw(drawn).polygon([(x * 300, y * 200) for x, y in corners], fill=255)
    soft = scipy.ndimage.gaussian_filter(np.asarray(drawn, float) / 255, 2.0, mode="mirror")
    difference = apart(filters.shaded(0.6, corners, white), 255 * (1 - 0.6 * soft)[..., None].repeat(3, axis=2))
    assert difference.mean() < 1 and difference.max() <= 0.5 * 0.6 * 255  # a pixel more or less at the edge
    seen = filters.shaded(0.6, corners, white)
    assert seen[100, 150, 0] == 102 and seen[100, 5, 0] == 255
