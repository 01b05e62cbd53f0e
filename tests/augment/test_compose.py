"""Ops made of others: what they choose, how often, and that inner ops do not disturb one another."""

from collections import Counter

import numpy as np
import pytest
from pictures import augmentation, streams

import ftaug.augment.compose  # noqa: F401 - registers
from ftaug.augment.transform import each
from ftaug.image.augmentations.transforms import Canvas, Homography

CANVAS = Canvas(60, 80, (48, 48))
ROTATE, HUE, SHIFT = {"rotate": {"degrees": 20.0}}, "hue", {"translate": {"x": 0.2}}


def told(name, epoch, **settings):
    """What an op tells of its draws, in order: names of inner ops with what they drew."""
    drawn = each(augmentation(name, **settings)(CANVAS, streams(epoch)(name)))
    return [tuple(draw.values.items()) for draw in drawn]


def names(name, epoch, **settings):
    return [values[0][0].partition(".")[0] for values in told(name, epoch, **settings)]


def test_one_of_chooses_each_as_often_as_its_weight():
    choices = [ROTATE, HUE, SHIFT]
    for weights in (None, [1, 2, 5]):
        chosen = Counter(names("one_of", epoch, choices=choices, weights=weights)[0] for epoch in range(900))
        shares = np.array(weights or [1, 1, 1]) / sum(weights or [1, 1, 1])
        found = np.array([chosen[name] for name in ("rotate", "hue", "translate")]) / 900
        assert np.abs(found - shares).max() < 0.05


@pytest.mark.parametrize("count", [1, 2, 3])
def test_some_of_does_so_many_in_the_order_of_the_list(count):
    order = ["rotate", "hue", "translate"]
    seen = set()
    for epoch in range(60):
        chosen = names("some_of", epoch, choices=[ROTATE, HUE, SHIFT], count=count)
        assert len(chosen) == count
        assert chosen == sorted(chosen, key=order.index)
        seen.add(tuple(chosen))
    assert len(seen) == {1: 3, 2: 3, 3: 1}[count]


def test_apply_does_all_or_none():
    found = Counter(len(told("apply", epoch, ops=[ROTATE, HUE], probability=0.3)) for epoch in range(500))
    assert set(found) == {0, 2}
    assert 110 <= found[2] <= 190


def test_shuffle_does_all_in_every_order():
    seen = Counter(tuple(names("shuffle", epoch, ops=[ROTATE, HUE, SHIFT])) for epoch in range(300))
    assert len(seen) == 6
    assert min(seen.values()) > 25


def test_taking_one_out_changes_nothing_for_the_others():
    for epoch in range(30):
        three = told("shuffle", epoch, ops=[ROTATE, HUE, SHIFT])
        two = told("shuffle", epoch, ops=[ROTATE, SHIFT])
        assert [values for values in three if not values[0][0].startswith("hue")] == two


def test_a_choice_that_did_not_win_is_not_missed():
    for epoch in range(60):
        winner = told("one_of", epoch, choices=[ROTATE, HUE, SHIFT])
        if not winner[0][0][0].startswith("hue"):
            assert told("one_of", epoch, choices=[ROTATE, SHIFT]) == winner


def test_two_of_a_name_draw_differently():
    first, second = told("apply", 0, ops=[ROTATE, ROTATE], probability=1.0)
    assert first != second


def test_each_sees_what_those_before_it_leave():
    drawn = augmentation("apply", ops=[{"center_crop": {"size": 20}}, "horizontal_flip"], probability=1.0)
    for epoch in range(10):
        draws = [d for d in each(drawn(CANVAS, streams(epoch)("apply"))) if isinstance(d, Homography)]
        assert {(draw.height, draw.width) for draw in draws} == {(20, 20)}


def test_they_nest():
    inner = {"one_of": {"choices": [ROTATE, {"apply": {"ops": [HUE], "probability": 1.0}}]}}
    seen = {told("shuffle", epoch, ops=[inner, SHIFT])[0][0][0].count(".") for epoch in range(20)}
    assert seen
