"""What holds for every augmentation, and for their sequence. A new op is tested by being registered."""

import pickle
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from pictures import AUGMENTATIONS, augmentation, augmented, jpeg, preprocessing, streams, texture

from ftaug.augment.transform import each
from ftaug.config.severity import at_severity
from ftaug.errors import BadData
from ftaug.image import samples
from ftaug.image.augmentations.pipeline import Fused, apply, fuse
from ftaug.image.augmentations.transforms import Border, Canvas, ColorMatrix, Homography, PixelFunction
from ftaug.image.io.decode import opened

WITH_PROBABILITY = [name for name in AUGMENTATIONS if "probability" in augmentation(name).settings]
POLICIES = ("trivial_augment", "rand_augment", "auto_augment", "augmix")
BORDERS = get_args(get_args(Border)[0])
"""The choices of the Literal inside the Annotated."""

WITH_BORDER = [name for name in AUGMENTATIONS if "border" in augmentation(name).settings and name not in POLICIES]

NO_STRENGTH = {"center_crop", "resize", "horizontal_flip", "vertical_flip", "rotate90", "channel_shuffle"}
NO_STRENGTH |= {"three_augment", "grayscale", "invert", "solarize", "posterize", "autocontrast", "equalize"}
NO_STRENGTH |= {
    f"torchvision.{name}"
    for name in (
        *("CenterCrop", "ColorJitter", "Grayscale", "Identity", "JPEG", "Pad", "RGB", "RandomAdjustSharpness"),
        *("RandomAutocontrast", "RandomChannelPermutation", "RandomEqualize", "RandomErasing", "RandomGrayscale"),
        *("RandomHorizontalFlip", "RandomInvert", "RandomPosterize", "RandomShortestSize", "RandomSolarize"),
        *("RandomVerticalFlip", "RandomZoomOut", "Resize"),
    )
}
"""Ops that do one thing, or one of a few."""

OF_A_SIZE = {f"torchvision.{name}" for name in ("CenterCrop", "RandomCrop", "RandomResizedCrop")}
"""Ops that cannot do without a size, which is 16 here."""

every_op = pytest.mark.parametrize("name", AUGMENTATIONS)


def certain(name, **settings):
    """The op as it is when it fires."""
    return augmentation(name, **({"probability": 1.0} if name in WITH_PROBABILITY else {}), **settings)


def test_there_are_ops():
    assert len(AUGMENTATIONS) >= 18


@every_op
@pytest.mark.parametrize("shape", [(60, 80), (80, 61), (1, 1), (1, 90), (64, 64)])
def test_gives_a_picture_of_the_models_size(name, shape):
    picture = texture(*shape)
    pipeline = samples.pipeline([certain(name)], preprocessing(48, 40))
    for epoch in range(3):
        try:
            pixels = pipeline(picture, streams(epoch))
        except BadData as error:
            assert min(shape) == 1
            assert str(error).startswith(f"{name} cannot take a picture of {shape[1]}×{shape[0]} pixels: ")
            continue
        assert pixels.shape == ((16, 16, 3) if name in OF_A_SIZE else (48, 40, 3))
        assert pixels.dtype == np.uint8
        assert pixels.flags.c_contiguous


@every_op
def test_leaves_its_input_alone(name):
    picture = texture(60, 80)
    before = picture.copy()
    pixels = augmented(picture, certain(name))
    np.testing.assert_array_equal(picture, before)
    assert not np.may_share_memory(pixels, picture)


@every_op
def test_is_a_function_of_its_stream(name):
    picture = texture(60, 80)
    np.testing.assert_array_equal(
        augmented(picture, certain(name), epoch=1), augmented(picture, certain(name), epoch=1)
    )


@every_op
def test_draws_something_else_in_another_epoch(name):
    if name in NO_STRENGTH:
        pytest.skip("draws no strength")
    picture = texture(120, 160, finest=2)
    op = at_severity(certain(name), 0.8)
    seen = {augmented(picture, op, epoch=epoch, size=[64, 64]).tobytes() for epoch in range(6)}
    assert len(seen) >= 4


@every_op
def test_does_something(name):
    picture = texture(60, 80)
    side = 16 if name in OF_A_SIZE else 32
    plain = augmented(picture, size=[side, side])
    op = at_severity(certain(name), 0.8)
    assert any((augmented(picture, op, epoch=epoch, size=[side, side], resize=40) != plain).any() for epoch in range(4))


@pytest.mark.parametrize("name", WITH_PROBABILITY)
def test_probability_zero_is_no_change(name):
    picture = texture(60, 80)
    for epoch in range(5):
        pixels = augmented(picture, augmentation(name, probability=0), epoch=epoch)
        np.testing.assert_array_equal(pixels, picture)


@pytest.mark.parametrize("name", WITH_PROBABILITY)
def test_fires_as_often_as_asked(name):
    op = augmentation(name, probability=0.3)
    canvas = Canvas(60, 80, (48, 48))
    fired = sum(op(canvas, streams(epoch)(name)) is not None for epoch in range(400))
    assert 80 <= fired <= 160


@pytest.mark.parametrize("name", WITH_PROBABILITY)
def test_the_probability_does_not_change_what_is_drawn(name):
    canvas = Canvas(60, 80, (48, 48))
    picture = texture(60, 80)
    for epoch in range(10):
        rare = augmentation(name, probability=0.5)(canvas, streams(epoch)(name))
        if rare is not None:
            always = certain(name)(canvas, streams(epoch)(name))
            both = [apply(each(drawn), opened(picture), "bilinear") for drawn in (rare, always)]
            np.testing.assert_array_equal(*both)


@every_op
def test_survives_being_sent_to_a_worker(name):
    pipeline = pickle.loads(pickle.dumps(samples.pipeline([certain(name)], preprocessing(48))))
    picture = texture(60, 80)
    expected = samples.pipeline([certain(name)], preprocessing(48))(picture, streams())
    np.testing.assert_array_equal(pipeline(picture, streams()), expected)


@every_op
def test_what_one_op_draws_does_not_depend_on_the_others(name):
    canvas, picture = Canvas(60, 80, (48, 48)), texture(60, 80)
    others = [augmentation(other) for other in ("vertical_flip", "hue") if other != name]
    pipelines = [samples.pipeline([*before, certain(name)], preprocessing(48)) for before in ([], others)]
    draws = [[own for key, own, _ in pipeline.fired(canvas, streams()) if key == name] for pipeline in pipelines]
    effects = [apply(drawn[0] if drawn else [], opened(picture), "bilinear") for drawn in draws]
    np.testing.assert_array_equal(*effects)


def test_two_uses_of_an_op_draw_from_two_streams():
    asked = []

    def asking(name):
        asked.append(name)
        return streams()(name)

    ops = [certain("rotate"), certain("hue"), certain("rotate"), certain("rotate")]
    samples.prepare(texture(20, 20), samples.pipeline(ops, preprocessing(16)), asking)[0]
    assert asked == ["rotate", "hue", "rotate#1", "rotate#2"]


@pytest.mark.parametrize(
    ("ops", "shape"),
    [
        ([], (48, 48)),
        ([("random_resized_crop", {"size": 20})], (20, 20)),
        ([("random_resized_crop", {"size": (20, 30)}), ("rotate", {})], (20, 30)),
        ([("random_resized_crop", {"size": 40}), ("center_crop", {"size": 32})], (32, 32)),
        ([("resize", {"size": 30})], (48, 48)),
        ([("resize", {"size": 30, "mode": "squash"})], (30, 30)),
        ([("resize", {"size": 60}), ("random_crop", {})], (48, 48)),
        ([("rotate", {}), ("hue", {})], (48, 48)),
    ],
    ids=str,
)
def test_the_last_op_with_a_size_settles_it(ops, shape):
    pipeline = samples.pipeline([augmentation(name, **settings) for name, settings in ops], preprocessing(48))
    for picture in (texture(60, 80), texture(90, 50)):
        assert pipeline(picture, streams()).shape[:2] == shape


GEOMETRY = Homography(np.eye(3), 8, 8)
COLOR = ColorMatrix.of(np.eye(3))
PIXELS = PixelFunction(lambda pixels: pixels)


def test_neighbours_fuse_and_pixels_part_them():
    steps = fuse([GEOMETRY, COLOR, GEOMETRY, COLOR], 8, 8)
    assert [type(step) for step in steps] == [Fused]
    steps = fuse([COLOR, PIXELS, GEOMETRY, PIXELS, COLOR], 8, 8)
    assert [type(step) for step in steps] == [Fused, PixelFunction, Fused, PixelFunction, Fused]


def test_geometries_with_different_borders_stay_apart():
    borders = [Homography(np.eye(3), 8, 8, border) for border in BORDERS]
    assert len(fuse(borders, 8, 8)) == len(borders)
    assert len(fuse([borders[0], GEOMETRY, borders[0]], 8, 8)) == 1


@pytest.mark.parametrize("name", WITH_BORDER)
def test_each_border_shows_what_it_says(name):
    """On a picture of one color, only `constant` shows another."""
    picture = np.full((60, 80, 3), 200, np.uint8)
    far = {"translate": {"x": 1, "y": 1}, "rotate": {"degrees": 90}, "random_crop": {"padding": 0.5, "size": 70}}
    far |= {
        "scale": {"factor": (0.5, 0.5)},
        "shear": {"x": 60},
        "center_crop": {"size": 90},
        "resize": {"size": 90, "mode": "pad"},
    }
    values = {
        border: set(np.unique(augmented(picture, certain(name, border=border, **far.get(name, {})), epoch=2)))
        for border in BORDERS
    }
    assert values["reflect"] == values["replicate"] == values["inside"] == {200}
    assert {0, 200} <= values["constant"]


def test_two_borders_in_one_pipeline_each_show():
    picture = np.full((60, 60, 3), 200, np.uint8)
    left = Homography(np.array([[1, 0, -20], [0, 1, 0], [0, 0, 1.0]]), 60, 60, "constant")
    down = Homography(np.array([[1, 0, 0], [0, 1, 20], [0, 0, 1.0]]), 60, 60, "replicate")
    result = apply([left, down], opened(picture), "bilinear")
    assert (result[:, 41:] == 0).all()
    assert (result[:, :39] == 200).all()


def test_what_left_the_canvas_comes_back():
    """A turn after a crop shows the picture beyond the crop instead of black corners."""
    picture = np.full((200, 200, 3), 200, np.uint8)
    ops = [augmentation("center_crop", size=80), augmentation("rotate", degrees=45)]
    assert (augmented(picture, *ops) == 200).all()


@pytest.mark.parametrize("data", [jpeg(texture(120, 160)), texture(120, 160)], ids=["jpeg", "array"])
def test_a_long_pipeline(data):
    names = [name for name in AUGMENTATIONS if name not in {"center_crop", "random_crop", *OF_A_SIZE}]
    pipeline = samples.pipeline([certain(name) for name in names], preprocessing(48))
    first, second = (pipeline(data, streams(1)) for _ in range(2))
    assert first.shape == (48, 48, 3)
    np.testing.assert_array_equal(first, second)


def test_a_size_is_no_longer_settled_after_an_op_that_changes_it():
    ops = [augmentation("random_resized_crop", size=24), augmentation("resize", size=[10, 30])]
    assert augmented(texture(60, 80), *ops, size=[32, 32]).shape == (32, 32, 3)
    assert augmented(texture(60, 80), *ops[::-1], size=[32, 32]).shape == (24, 24, 3)


def test_interpolations():
    picture = texture(60, 80)
    ops = [certain("rotate"), certain("random_resized_crop")]
    results = {}
    for interpolation in ("nearest", "bilinear", "bicubic"):
        results[interpolation] = augmented(picture, *ops, size=[40, 40], interpolation=interpolation).astype(int)
    assert set(map(tuple, results["nearest"].reshape(-1, 3))) <= {
        *map(tuple, picture.reshape(-1, 3).tolist()),
        (0, 0, 0),
    }
    assert 0 < np.abs(results["bilinear"] - results["bicubic"]).mean() < 8


WITH_INTERPOLATION = [name for name in AUGMENTATIONS if "interpolation" in augmentation(name).settings]
WITH_INTERPOLATION = [name for name in WITH_INTERPOLATION if not name.startswith("torchvision.")]


@pytest.mark.parametrize("name", WITH_INTERPOLATION)
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic"])
def test_an_op_may_choose_its_interpolation(name, interpolation):
    picture = texture(60, 80, finest=2)
    found = augmented(picture, certain(name, interpolation=interpolation), size=[40, 40])
    expected = augmented(picture, certain(name), size=[40, 40], interpolation=interpolation)
    np.testing.assert_array_equal(found, expected)


def test_evaluation_keeps_what_the_weights_expect():
    picture = texture(60, 80, finest=2)
    pipeline = samples.pipeline([certain("rotate", interpolation="nearest")], preprocessing(32))
    plain = samples.pipeline([], preprocessing(32))
    np.testing.assert_array_equal(samples.prepare(picture, pipeline, None)[0], samples.prepare(picture, plain, None)[0])


def test_geometries_of_different_interpolations_do_not_fuse():
    canvas = Canvas(60, 80, (48, 48))
    draws = [certain("rotate", interpolation=way)(canvas, streams()("rotate")) for way in ("nearest", None, "bicubic")]
    steps = fuse(draws, 60, 80)
    assert [step.geometry.interpolation for step in steps] == ["nearest", "bicubic"]


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("shape", [(600, 450), (130, 170)])
def test_rows_that_are_not_decoded_are_not_seen(shape, border):
    picture = opened(jpeg(texture(*shape)))
    ops = augmentation("random_resized_crop"), augmentation("affine", border=border)
    for ops_of in (ops, ops[:1], (augmentation("random_crop"), augmentation("rotate90"))):
        pipeline = samples.pipeline(ops_of, preprocessing(32))
        for epoch in range(40):
            fewer, all_rows = (pipeline(raw, streams(0, epoch)) for raw in (picture, replace(picture, load_top=None)))
            np.testing.assert_array_equal(fewer, all_rows)
