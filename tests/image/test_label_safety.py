"""Ops that may change a class are named, with the line to change; flips swap classes, and ops leave some alone."""

import numpy as np
import pytest
import torch
from pictures import augmentation, preprocessing, streams, texture
from pydantic import ValidationError
from torchvision import tv_tensors

from ftaug.augment.transform import each
from ftaug.config.registry import REGISTRIES, FrozenDict
from ftaug.errors import ExperimentError
from ftaug.image import label_safety, samples
from ftaug.image.augmentations.torchvision import OF_FLOATS, TRANSFORMS, _built
from ftaug.image.augmentations.transforms import Canvas, Homography
from ftaug.interfaces.data import Task

ARROWS = ("down_arrow", "left_arrow", "right_arrow", "up_arrow")
OPS = REGISTRIES["augmentation", "image"]


def cautions(classes, *ops):
    return samples.label_cautions(ops, Task(tuple(classes)))


@pytest.mark.parametrize(
    ("classes", "op"),
    [
        (ARROWS, augmentation("horizontal_flip")),
        (ARROWS, augmentation("vertical_flip")),
        (ARROWS, augmentation("rotate", degrees=90)),
        (("TurnLeft", "TurnRight"), augmentation("horizontal_flip")),
        (("sharp left", "straight on"), augmentation("horizontal_flip")),
        (("clockwise", "counter-clockwise"), augmentation("vertical_flip")),
        (("6", "9"), augmentation("rotate", degrees=180)),
        (tuple("bdpq"), augmentation("horizontal_flip")),
        (tuple("0123456789"), augmentation("horizontal_flip")),
        (tuple("FGJLR"), augmentation("vertical_flip")),
        (("six", "nine"), augmentation("rotate", degrees=180)),
        (("digit_6", "digit_9"), augmentation("rotate", degrees=180)),
        (("6 - six", "9 - nine"), augmentation("rotate90")),
        (("sechs", "neun"), augmentation("trivial_augment")),
        (("OS", "OD"), augmentation("horizontal_flip")),
        (("eye_os", "eye_od"), augmentation("simclr")),
        (("knee_L", "knee_R"), augmentation("horizontal_flip")),
        (("links", "rechts"), augmentation("horizontal_flip")),
        (("Linkspfeil", "Rechtspfeil"), augmentation("horizontal_flip")),
        (("leftarrow", "rightarrow"), augmentation("horizontal_flip")),
        (("gauche", "droite"), augmentation("moco")),
        (("左转", "右转"), augmentation("horizontal_flip")),
        (("oben", "unten"), augmentation("vertical_flip")),
        (("digit one", "digit two", "digit three"), augmentation("horizontal_flip")),
        (ARROWS, augmentation("torchvision.RandomHorizontalFlip")),
        (ARROWS, augmentation("torchvision.RandomVerticalFlip")),
        (ARROWS, augmentation("torchvision.RandomRotation", degrees=90.0)),
        (ARROWS, augmentation("torchvision.RandomRotation", degrees=[-120.0, 0.0])),
        (ARROWS, augmentation("torchvision.RandomAffine", degrees=180.0)),
        (ARROWS, augmentation("torchvision.TrivialAugmentWide")),
        (ARROWS, augmentation("trivial_augment")),
    ],
    ids=str,
)
def test_what_may_change_a_class_is_named(classes, op):
    (said,) = cautions(classes, augmentation("invert"), op)
    assert said.startswith("augment.1.") and op.name in said.partition(" ")[0]
    assert "remove it" in said


@pytest.mark.parametrize(
    ("classes", "op"),
    [
        (ARROWS, augmentation("rotate")),
        (ARROWS, augmentation("random_resized_crop")),
        (ARROWS, augmentation("horizontal_flip", probability=0.0)),
        (("cat", "dog", "leftover", "upright piano", "laptop"), augmentation("horizontal_flip")),
        (("daisy", "tulip"), augmentation("rotate", degrees=360)),
        (("up_arrow", "down_arrow"), augmentation("horizontal_flip")),
        (("left_arrow", "right_arrow"), augmentation("vertical_flip")),
        (("6", "9"), augmentation("rotate", degrees=45)),
        (tuple("AHIMO"), augmentation("horizontal_flip")),
        (ARROWS, augmentation("horizontal_flip", label_map={"left_arrow": "right_arrow"})),
        (ARROWS, augmentation("horizontal_flip", **{"except": ["left_arrow", "right_arrow"]})),
        (ARROWS, augmentation("rotate", degrees=180, **{"except": list(ARROWS)})),
        (ARROWS, augmentation("torchvision.RandomHorizontalFlip", p=0.0)),
        (ARROWS, augmentation("torchvision.RandomRotation", degrees=[-20.0, 45.0])),
        (ARROWS, augmentation("torchvision.RandAugment")),
        (ARROWS, augmentation("trivial_augment", strength=0.3)),
        (ARROWS, augmentation("rand_augment", magnitude=30.0)),
        (ARROWS, augmentation("simclr", flip=0.0)),
        (("six", "nine"), augmentation("rotate", degrees=90)),
        (("sausage links", "cat"), augmentation("horizontal_flip")),
        (("class_2", "class_5", "class_6"), augmentation("horizontal_flip")),
        (("B", "D"), augmentation("horizontal_flip", **{"except": ["B", "D"]})),
        (("plan_b", "plan_d"), augmentation("horizontal_flip")),
        (("L", "R", "cat", "dog", "cow"), augmentation("horizontal_flip")),
    ],
    ids=str,
)
def test_what_is_safe_is_not_named(classes, op):
    assert cautions(classes, op) == []


def test_the_line_to_change_is_said():
    (said,) = cautions(ARROWS, augmentation("horizontal_flip"))
    assert said == (
        "augment.0.horizontal_flip may turn 'left_arrow' into 'right_arrow': remove it, "
        "or set label_map: {left_arrow: right_arrow}, or set except: [left_arrow, right_arrow]"
    )


def test_what_is_said_to_help_helps():
    flip = augmentation("horizontal_flip", label_map={"left_arrow": "right_arrow"})
    turn = augmentation("rotate", degrees=45)
    assert cautions(ARROWS, flip, turn) == []


@pytest.mark.parametrize(
    "settings",
    [
        {"label_map": {"left_arow": "right_arrow"}},
        {"label_map": {"right_arrow": "left_arow"}},
        {"except": ["left_arow"]},
    ],
    ids=str,
)
def test_a_class_that_is_not_there_is_refused(settings):
    with pytest.raises(ExperimentError, match="no class 'left_arow'; did you mean 'left_arrow'"):
        cautions(ARROWS, augmentation("horizontal_flip", **settings))


@pytest.mark.parametrize("label_map", [{"a": "a"}, {"a": "b", "b": "c"}, {"a": "c", "b": "c"}], ids=str)
def test_a_map_that_is_no_swap_is_refused(label_map):
    with pytest.raises(ValidationError) as refused:
        augmentation("horizontal_flip", label_map=label_map)
    assert "pairs such as {left: right}" in str(refused.value.errors())


@pytest.mark.parametrize("name", ["horizontal_flip", "vertical_flip"])
def test_a_flip_that_fires_swaps_the_classes_and_no_other(name):
    pipeline = samples.pipeline([augmentation(name, label_map={"left": "right"})], preprocessing(8, resize=None))
    assert samples.relabels(pipeline)
    picture = texture(8, 8)
    seen = set()
    for epoch in range(20):
        for label, other in (("left", "right"), ("right", "left"), ("up", "up")):
            mirrored = np.flip(picture, 1 if name == "horizontal_flip" else 0)
            shown, applied = samples.prepare(picture, pipeline, streams(epoch), (label,))
            fired = name in applied.values
            assert applied.labels == ((other,) if fired else (label,))
            np.testing.assert_array_equal(shown, mirrored if fired else picture)
            seen.add(fired)
    assert seen == {True, False}


def test_two_flips_swap_twice():
    ops = [augmentation("horizontal_flip", probability=1.0, label_map={"left": "right"})] * 2
    pipeline = samples.pipeline(ops, preprocessing(8, resize=None))
    assert samples.augmented(texture(8, 8), pipeline, streams(), ("left",))[1].labels == ("left",)
    assert samples.augmented(texture(8, 8), pipeline, streams(), ("left", "up"))[1].labels == ("left", "up")


@pytest.mark.parametrize("name", [name for name in OPS if {"except", "probability"} <= set(OPS[name].settings())])
def test_an_excepted_class_is_left_alone(name):
    op = augmentation(name, probability=1.0, **{"except": ["left"]})
    pipeline = samples.pipeline([op], preprocessing(8, resize=None))
    picture = texture(8, 8)
    np.testing.assert_array_equal(samples.prepare(picture, pipeline, streams(), ("left",))[0], picture)
    assert samples.augmented(picture, pipeline, streams(), ("left",))[1].values == {}
    assert name in samples.augmented(picture, pipeline, streams(), ("right",))[1].values


def test_a_class_after_a_swap_counts_for_the_ops_after_it():
    flip = augmentation("horizontal_flip", probability=1.0, label_map={"left": "right"})
    turn = augmentation("rotate", **{"except": ["right"]})
    pipeline = samples.pipeline([flip, turn], preprocessing(8))
    assert list(samples.augmented(texture(8, 8), pipeline, streams(), ("left",))[1].values) == ["horizontal_flip"]
    assert list(samples.augmented(texture(8, 8), pipeline, streams(), ("right",))[1].values) == [
        "horizontal_flip",
        "rotate",
    ]


def says(op):
    """How an op may mirror, and how far it may turn, by its facts."""
    return op.fact("mirrors"), label_safety._largest_angle(op)


def strong(name):
    return augmentation(name, **({"degrees": 180.0} if "degrees" in OPS[name].settings() else {}))


def check(op, linear):
    """A linear map of the picture, whose y leads downwards, against the facts of what drew it."""
    mirrors, most = says(op)
    upright = linear
    if np.linalg.det(linear) < 0:
        assert mirrors, f"{op.name} mirrors"
        upright = linear @ np.diag([-1, 1] if mirrors == "horizontally" else [1, -1])
    angle = abs(np.degrees(np.arctan2(upright[1, 0] - upright[0, 1], upright[0, 0] + upright[1, 1])))
    assert angle <= max(most, label_safety.QUARTER), f"{op.name} turns by {angle:.0f} degrees"


@pytest.mark.parametrize("name", [name for name in OPS if not name.startswith("torchvision.")])
def test_what_mirrors_or_turns_says_so(name):
    """A new op is held to its facts by what it draws."""
    op, canvas = strong(name), Canvas(24, 24, (24, 24))
    for epoch in range(200):
        geometries = [draw for draw in each(op(canvas, streams(epoch)(name))) if isinstance(draw, Homography)]
        if geometries and name not in ("one_of", "some_of", "apply", "shuffle"):
            check(
                op, np.linalg.multi_dot([np.eye(3), *(draw.matrix for draw in reversed(geometries)), np.eye(3)])[:2, :2]
            )


@pytest.mark.parametrize(
    "name", sorted(set(TRANSFORMS) - {"AugMix", "AutoAugment", "RandAugment", "TrivialAugmentWide"})
)
def test_torchvision_transforms_that_mirror_or_turn_say_so(name):
    """By where the quarters of a mask end; the policies of torchvision take no masks."""
    op = strong(f"torchvision.{name}")
    transform = _built(name, FrozenDict(op.settings))
    mask = torch.zeros(1, 24, 24, dtype=torch.uint8)
    mask[:, 4:12, 4:12], mask[:, 4:12, 12:20], mask[:, 12:20, 4:12] = 1, 2, 3
    picture = tv_tensors.Image(
        torch.zeros(3, 24, 24, dtype=torch.float32 if name in {*OF_FLOATS, "ScaleJitter"} else torch.uint8)
    )
    torch.manual_seed(0)
    for _ in range(100):
        moved = transform(picture, tv_tensors.Mask(mask))[1][0].numpy()
        centers = [np.argwhere(moved == label).mean(axis=0)[::-1] for label in (1, 2, 3) if (moved == label).any()]
        if len(centers) == 3:
            check(op, np.stack([centers[1] - centers[0], centers[2] - centers[0]], axis=1))
