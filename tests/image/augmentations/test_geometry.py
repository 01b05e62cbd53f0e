"""Where augmentations move points to: read off ramps, and against torchvision."""

import math
from functools import cache

import numpy as np
import pytest
import torch
from pictures import AUGMENTATIONS, augmentation, augmented, jpeg, ramp, streams, texture
from scipy.ndimage import map_coordinates
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional

from ftaug.image import samples
from ftaug.image.augmentations.pipeline import apply
from ftaug.image.augmentations.transforms import Canvas, Homography
from ftaug.image.io.decode import opened

RNG = np.random.default_rng


def drawn(name, canvas, seed=0, **settings):
    return augmentation(name, **settings)(canvas, RNG(seed))


def shown(pixels, geometry, interpolation="bilinear"):
    return apply([geometry], opened(pixels), interpolation)


def sources(geometry, height, width, margin=3):
    """Where the center of each canvas pixel lies in the picture, and whether that is well inside it."""
    rows, columns = np.mgrid[0 : geometry.height, 0 : geometry.width] + 0.5
    points = np.linalg.solve(geometry.matrix, [columns.ravel(), rows.ravel(), np.ones(rows.size)])
    x, y = (points[:2] / points[2]).reshape(2, geometry.height, geometry.width)
    return x, y, (x > margin) & (x < width - margin) & (y > margin) & (y < height - margin)


def geometries(canvas, seed):
    for name in AUGMENTATIONS:
        settings = {"probability": 1.0} if "probability" in augmentation(name).settings else {}
        draw = drawn(name, canvas, seed, **settings)
        if isinstance(draw, Homography):
            yield name, draw


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_a_small_picture_is_as_sharp_at_its_edge_as_where_it_is_resized_first(interpolation):
    """Eight pixels on a canvas of 32: softened before it is large, the edge would be four pixels soft."""
    picture = np.full((8, 8, 3), 200, np.uint8)
    by = {"size": [32, 32], "interpolation": interpolation}
    turned = augmented(picture, augmentation("rotate", degrees=45), epoch=1, **by)
    resized = augmented(picture, **by)
    np.testing.assert_array_equal(resized, 200)
    wanted = augmented(resized, augmentation("rotate", degrees=45), epoch=1, **by)
    assert 0 < np.count_nonzero(turned == 0) < turned.size / 2
    assert np.abs(turned.astype(int) - wanted).mean() < 0.5


@pytest.mark.parametrize("seed", range(8))
def test_every_pixel_shows_the_point_that_the_matrix_says(seed):
    """Half a pixel of shift would be one gray level here in the mean, a full second one of it elsewhere."""
    height, width, slope = 96, 120, 2.0
    picture = ramp(height, width, slope)
    for name, geometry in geometries(Canvas(height, width, (64, 64)), seed):
        x, y, inside = sources(geometry, height, width)
        result = shown(picture, geometry).astype(float)
        assert result.shape == (geometry.height, geometry.width, 3)
        if inside.any():
            errors = np.stack([result[..., 0] - slope * x, result[..., 1] - slope * y])[:, inside]
            assert np.abs(errors).max() < 1.1, name
            assert np.abs(errors.mean(axis=1)).max() < 0.55, name


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("size", [(768, 1024), (763, 1021)])
def test_the_same_holds_when_a_jpeg_is_decoded_at_a_smaller_scale(seed, size):
    """Half a pixel of the decoded picture would be a whole gray level."""
    height, width = size
    slope = 0.24
    data = jpeg(ramp(height, width, slope), quality=97)
    canvas = Canvas(height, width, (64, 64))
    crop = drawn("random_resized_crop", canvas, seed, scale=(0.6, 1.0))
    turn = drawn("rotate", canvas._replace(height=64, width=64), seed, degrees=30)
    tilt = drawn("perspective", canvas._replace(height=64, width=64), seed, probability=1.0)
    for moves in ([crop], [crop, turn], [crop, tilt]):
        geometry = moves[0] if len(moves) == 1 else moves[0].then(moves[1])
        x, y, inside = sources(geometry, height, width, margin=30)
        result = shown(data, geometry).astype(float) + 0.5  # ramps are cut to whole numbers
        errors = np.stack([result[..., 0] - slope * x, result[..., 1] - slope * y])[:, inside]
        assert np.abs(errors.mean(axis=1)).max() < 0.3
        assert np.abs(errors).max() < 2.5


def test_mirroring_is_exact():
    picture = texture(31, 40)
    np.testing.assert_array_equal(augmented(picture, augmentation("horizontal_flip", probability=1)), picture[:, ::-1])
    np.testing.assert_array_equal(augmented(picture, augmentation("vertical_flip", probability=1)), picture[::-1])


def test_mirroring_by_the_warp_is_exact_too():
    """A border that shows sends the picture through the warp; its middle must not move."""
    picture = texture(32, 40)
    mirror = drawn("horizontal_flip", Canvas(32, 40, (32, 40)), probability=1)
    larger = drawn("center_crop", Canvas(32, 40, (32, 40)), size=(48, 60))
    np.testing.assert_array_equal(shown(picture, mirror.then(larger))[8:40, 10:50], picture[:, ::-1])


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_right_angles_are_exact(quarters):
    picture = texture(40, 40)
    cos, sin = round(math.cos(quarters * math.pi / 2)), round(math.sin(quarters * math.pi / 2))
    shift = {1: (0, 40), 2: (40, 40), 3: (40, 0)}[quarters]
    turn = Homography(np.array([[cos, sin, shift[0]], [-sin, cos, shift[1]], [0, 0, 1.0]]), 40, 40)
    np.testing.assert_array_equal(shown(picture, turn), np.rot90(picture, quarters))


@pytest.mark.parametrize("seed", range(4))
def test_rotation_is_torchvisions(seed):
    picture = texture(90, 120, finest=12)
    geometry = drawn("rotate", Canvas(90, 120, (64, 64)), seed, degrees=60)
    angle = math.degrees(math.atan2(geometry.matrix[0, 1], geometry.matrix[0, 0]))
    assert 0 < abs(angle) <= 60
    tensor = torch.from_numpy(picture).permute(2, 0, 1)
    expected = functional.rotate(tensor, angle, InterpolationMode.BILINEAR).permute(1, 2, 0).numpy()
    inside = sources(geometry, 90, 120)[2]
    assert np.abs(shown(picture, geometry).astype(int) - expected)[inside].max() <= 2


@pytest.mark.parametrize("seed", range(4))
def test_affine_ops_are_torchvisions(seed):
    canvas = Canvas(90, 120, (64, 64))
    picture = texture(90, 120, finest=12)
    tensor = torch.from_numpy(picture).permute(2, 0, 1)
    for name, settings in {"translate": {"x": 0.2, "y": 0.2}, "scale": {}, "shear": {"x": 20}}.items():
        geometry = drawn(name, canvas, seed, **settings)
        (a, b, right), (_, _, down), _ = geometry.matrix
        expected = functional.affine(
            tensor,
            angle=0,
            translate=[right, down] if name == "translate" else [0, 0],
            scale=a,
            shear=[-math.degrees(math.atan(b / a)), 0],
            interpolation=InterpolationMode.BILINEAR,
        )
        inside = sources(geometry, 90, 120)[2]
        difference = np.abs(shown(picture, geometry).astype(int) - expected.permute(1, 2, 0).numpy())
        assert difference[inside].max() <= 2, name


@pytest.mark.parametrize("seed", range(4))
def test_perspective_takes_the_corners_inwards(seed):
    geometry = drawn("perspective", Canvas(60, 80, (64, 64)), seed, distortion=0.5, probability=1)
    x, y, depth = geometry.matrix @ np.array([[0, 80, 80, 0], [0, 0, 60, 60], [1, 1, 1, 1]])
    x, y = x / depth / 80, y / depth / 60
    assert (np.abs(x - [0, 1, 1, 0]) <= 0.25 + 1e-9).all()
    assert (np.abs(y - [0, 0, 1, 1]) <= 0.25 + 1e-9).all()
    picture = texture(60, 80, finest=12)
    source_x, source_y, inside = sources(geometry, 60, 80)
    ours = shown(picture, geometry).astype(float)
    for channel in range(3):
        expected = map_coordinates(picture[..., channel].astype(float), [source_y - 0.5, source_x - 0.5], order=1)
        assert np.abs(ours[..., channel] - expected)[inside].max() <= 2


@pytest.mark.parametrize("seed", range(12))
def test_random_resized_crop_is_pillows_resize_of_a_box(seed):
    picture = texture(150, 210)
    canvas = Canvas(150, 210, (64, 48))
    geometry = drawn("random_resized_crop", canvas, seed)
    (zoom_x, _, right), (_, zoom_y, down), _ = geometry.matrix
    left, top, width, height = -right / zoom_x, -down / zoom_y, 48 / zoom_x, 64 / zoom_y
    assert 0.07 <= width * height / (150 * 210) <= 1
    assert 0.7 <= width / height <= 1.4
    for number in (left, top, width, height):
        assert number == pytest.approx(round(number))
    image = functional.to_pil_image(picture)
    box = [round(number) for number in (top, left, height, width)]
    expected = np.asarray(functional.resized_crop(image, *box, size=[64, 48]))
    assert np.abs(shown(picture, geometry).astype(int) - expected).max() <= 1


def test_random_resized_crop_draws_areas_evenly():
    canvas = Canvas(1000, 1000, (10, 10))
    areas = [100 / np.linalg.det(drawn("random_resized_crop", canvas, seed).matrix) / 1e6 for seed in range(400)]
    assert np.mean(areas) == pytest.approx(0.5, abs=0.06)  # large ones often do not fit, as in torchvision
    assert min(areas) < 0.12
    assert max(areas) > 0.9


def test_random_resized_crop_falls_back_to_the_center():
    geometry = drawn("random_resized_crop", Canvas(10, 1000, (8, 8)), scale=(0.9, 1.0))
    left = -geometry.matrix[0, 2] / geometry.matrix[0, 0]
    width = 8 / geometry.matrix[0, 0]
    assert (left + width / 2) == pytest.approx(500, abs=1)
    assert width == pytest.approx(13, abs=0.5)


@pytest.mark.parametrize("padding", [0.0, 0.25])
def test_random_crop_reaches_every_window(padding):
    picture = texture(8, 12)
    margin_y, margin_x = round(8 * padding), round(12 * padding)
    padded = np.pad(picture, [(margin_y,) * 2, (margin_x,) * 2, (0, 0)])
    windows = {
        padded[y : y + 6, x : x + 6].tobytes()
        for y in range(8 + 2 * margin_y - 5)
        for x in range(12 + 2 * margin_x - 5)
    }
    crop = augmentation("random_crop", size=6, padding=padding)
    seen = {augmented(picture, crop, epoch=epoch).tobytes() for epoch in range(60 * len(windows) // 10)}
    assert seen <= windows
    assert len(seen) > 0.9 * len(windows)


def test_a_crop_larger_than_the_picture_holds_all_of_it():
    picture = np.full((6, 6, 3), 255, np.uint8)
    for epoch in range(20):
        crop = augmented(picture, augmentation("random_crop", size=9), epoch=epoch)
        assert crop.shape == (9, 9, 3)
        assert crop.sum() == picture.sum()


@pytest.mark.parametrize(("border", "mode"), [("constant", "constant"), ("reflect", "reflect"), ("replicate", "edge")])
@pytest.mark.parametrize("shift", [(3, -5), (-20, 14), (17, -28)])
def test_borders_are_numpys(border, mode, shift):
    picture = texture(24, 32)
    down, right = shift
    move = Homography(np.array([[1, 0, right], [0, 1, down], [0, 0, 1.0]]), 24, 32, border)
    padded = np.pad(picture, [(40, 40), (40, 40), (0, 0)], mode=mode)
    expected = padded[40 - down : 64 - down, 40 - right : 72 - right]
    np.testing.assert_array_equal(shown(picture, move), expected)


@pytest.mark.parametrize(("mode", "shape"), [("shortest", (50, 66)), ("squash", (50, 50))])
def test_resize(mode, shape):
    picture = texture(75, 100)
    pixels = shown(picture, drawn("resize", Canvas(75, 100, (50, 50)), mode=mode))
    assert pixels.shape[:2] == shape
    expected = np.asarray(functional.resize(functional.to_pil_image(picture), list(shape)))
    assert np.abs(pixels.astype(int) - expected).max() <= 1


def test_center_crop():
    picture = texture(75, 101)
    expected = np.asarray(functional.center_crop(functional.to_pil_image(picture), [32, 40]))
    np.testing.assert_array_equal(augmented(picture, augmentation("center_crop", size=(32, 40))), expected)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("rotate", {"degrees": 0}),
        ("translate", {"x": 0, "y": 0}),
        ("scale", {"factor": (1, 1)}),
        ("shear", {"x": 0, "y": 0}),
        ("perspective", {"distortion": 0, "probability": 1}),
        ("random_crop", {}),
        ("center_crop", {}),
        ("resize", {"mode": "squash"}),
        ("random_resized_crop", {"scale": (1, 1), "ratio": (1.25, 1.25)}),
    ],
)
def test_no_strength_is_no_change(name, settings):
    picture = texture(40, 50)
    np.testing.assert_array_equal(augmented(picture, augmentation(name, **settings)), picture)


def test_strengths_are_shares_of_the_picture():
    """The same draw on a picture of twice the size is the same move."""
    for name in AUGMENTATIONS:
        if name in ("random_crop", "center_crop", "random_resized_crop", "resize"):
            continue  # their sizes are in pixels
        small, large = (drawn(name, Canvas(60 * k, 80 * k, (32, 32)), seed=3) for k in (1, 2))
        if isinstance(small, Homography):
            double = np.diag([2, 2, 1])
            moved = double @ small.matrix @ np.linalg.inv(double)
            np.testing.assert_allclose(large.matrix / large.matrix[2, 2], moved / moved[2, 2], atol=1e-9)


@cache
def wave_picture(size, seed=1, count=300):
    """Plane waves with the spectrum of a photograph (energy ~ 1/f), and their parameters."""
    rng = RNG(seed)
    frequency = np.exp(rng.uniform(np.log(0.004), np.log(0.45), count))
    angle, phase = rng.uniform(0, 2 * np.pi, (2, count))
    waves = frequency * np.cos(angle), frequency * np.sin(angle), phase
    y, x = np.mgrid[0:size, 0:size] + 0.5
    gray = 127 + 40 / np.sqrt(count) * sum(
        np.cos(2 * np.pi * (u * x + v * y) + p) for u, v, p in zip(*waves, strict=True)
    )
    return np.repeat(np.rint(gray.clip(0, 255)).astype(np.uint8)[..., None], 3, 2), waves


def ideal(waves, geometry):
    """The same waves on the canvas; those too short for it are not there."""
    back = np.linalg.inv(geometry.matrix)
    x, y, _ = back @ np.stack(
        [*np.mgrid[0 : geometry.width, 0 : geometry.height] + 0.5, np.ones((geometry.width, geometry.height))]
    ).reshape(3, -1)
    gray = np.full(x.shape, 127.0)
    for u, v, phase in zip(*waves, strict=True):
        on_canvas = np.abs(np.array([u, v]) @ back[:2, :2])
        if on_canvas.max() < 0.5:
            gray += 40 / np.sqrt(len(waves[0])) * np.cos(2 * np.pi * (u * x + v * y) + phase)
    return gray.reshape(geometry.width, geometry.height).T


@pytest.mark.parametrize("degrees", [0, 10, 35])
@pytest.mark.parametrize("zoom", [0.9, 0.7, 0.5, 0.35, 0.2])
def test_shrinking_is_never_worse_than_pillows_antialiased_resize(zoom, degrees):
    """Measured as the distance to the ideal picture, which has no wave that the canvas cannot show."""
    size = 300
    picture, waves = wave_picture(size)
    edge = int(size * zoom * 0.6)
    cos, sin = zoom * math.cos(math.radians(degrees)), zoom * math.sin(math.radians(degrees))
    matrix = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    matrix[:2, 2] = edge / 2 - matrix[:2, :2] @ [size / 2, size / 2]
    geometry = Homography(matrix, edge, edge)
    full = round(edge / zoom)
    turned = np.linalg.inv(matrix) @ np.diag([edge / full, edge / full, 1])
    image = functional.to_pil_image(picture)
    by_pillow = image.transform((full, full), 0, turned[:2].ravel().tolist(), 2).resize((edge, edge), 2)
    target = ideal(waves, geometry)[3:-3, 3:-3]

    def error(pixels):
        return math.sqrt(np.square(np.asarray(pixels)[3:-3, 3:-3, 0] - target).mean())

    assert error(shown(picture, geometry)) <= error(by_pillow) * 1.02


def test_the_model_sees_one_resampling():
    """Five fused ops lose less than five one after another, and show the same."""
    picture = texture(400, 400, finest=16)
    ops = [augmentation(name) for name in ("rotate", "scale", "shear", "translate", "random_resized_crop")]
    pipeline = samples.pipeline(ops, {"mean": [0] * 3, "std": [1] * 3, "size": [200, 200], "resize": 200})
    draws, _ = pipeline.draw(400, 400, streams(3))
    fused = apply(draws, opened(picture), "bilinear").astype(int)
    stepwise = picture
    for draw in draws:
        stepwise = apply([draw], opened(stepwise), "bilinear")
    covered = np.full_like(picture, 255)
    for draw in draws:
        covered = apply([draw], opened(covered), "bilinear")
    inside = covered.min(axis=2) == 255
    assert inside.mean() > 0.5
    assert np.abs(fused - stepwise)[inside].mean() < 1.5
