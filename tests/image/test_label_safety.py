"""Ops that may change a class are named, with the line to change; flips swap classes, and ops leave some alone."""

import numpy as np
import pytest
from pictures import augmentation, preprocessing, streams, texture
from pydantic import ValidationError

from ftaug.config.registry import REGISTRIES
from ftaug.errors import ExperimentError
from ftaug.image import samples
from ftaug.interfaces import Task

ARROWS = ("down_arrow", "left_arrow", "right_arrow", "up_arrow")
OPS = REGISTRIES["augmentation", "image"]


def hazards(classes, *ops):
    return samples.hazards(ops, Task(tuple(classes)))


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
    ],
    ids=str,
)
def test_what_may_change_a_class_is_named(classes, op):
    (said,) = hazards(classes, augmentation("invert"), op)
    assert said.startswith(f"augment.1.{op.name} ")
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
    ],
    ids=str,
)
def test_what_is_safe_is_not_named(classes, op):
    assert hazards(classes, op) == []


def test_the_line_to_change_is_said():
    (said,) = hazards(ARROWS, augmentation("horizontal_flip"))
    assert said == (
        "augment.0.horizontal_flip may turn 'left_arrow' into 'right_arrow': remove it, "
        "or set label_map: {left_arrow: right_arrow}, or set except: [left_arrow, right_arrow]"
    )


def test_what_is_said_to_help_helps():
    flip = augmentation("horizontal_flip", label_map={"left_arrow": "right_arrow"})
    turn = augmentation("rotate", degrees=45)
    assert hazards(ARROWS, flip, turn) == []


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
        hazards(ARROWS, augmentation("horizontal_flip", **settings))


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
            account = samples.account(picture, pipeline, streams(epoch), (label,))
            mirrored = np.flip(picture, 1 if name == "horizontal_flip" else 0)
            shown = samples.prepare(picture, pipeline, streams(epoch), (label,))
            fired = name in account.values
            assert account.labels == ((other,) if fired else (label,))
            np.testing.assert_array_equal(shown, mirrored if fired else picture)
            seen.add(fired)
    assert seen == {True, False}


def test_two_flips_swap_twice():
    ops = [augmentation("horizontal_flip", probability=1.0, label_map={"left": "right"})] * 2
    pipeline = samples.pipeline(ops, preprocessing(8, resize=None))
    assert samples.account(texture(8, 8), pipeline, streams(), ("left",)).labels == ("left",)
    assert samples.account(texture(8, 8), pipeline, streams(), ("left", "up")).labels == ("left", "up")


@pytest.mark.parametrize("name", [name for name in OPS if {"except", "probability"} <= set(OPS[name].settings())])
def test_an_excepted_class_is_left_alone(name):
    op = augmentation(name, probability=1.0, **{"except": ["left"]})
    pipeline = samples.pipeline([op], preprocessing(8, resize=None))
    picture = texture(8, 8)
    np.testing.assert_array_equal(samples.prepare(picture, pipeline, streams(), ("left",)), picture)
    assert samples.account(picture, pipeline, streams(), ("left",)).values == {}
    assert name in samples.account(picture, pipeline, streams(), ("right",)).values


def test_a_class_after_a_swap_counts_for_the_ops_after_it():
    flip = augmentation("horizontal_flip", probability=1.0, label_map={"left": "right"})
    turn = augmentation("rotate", **{"except": ["right"]})
    pipeline = samples.pipeline([flip, turn], preprocessing(8))
    assert list(samples.account(texture(8, 8), pipeline, streams(), ("left",)).values) == ["horizontal_flip"]
    assert list(samples.account(texture(8, 8), pipeline, streams(), ("right",)).values) == ["horizontal_flip", "rotate"]
