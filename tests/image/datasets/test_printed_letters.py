"""Printed letters: legible, centered, the same in every run, with splits that share no font and size."""

import itertools
import string
from importlib.metadata import version

import numpy as np
import pytest

from ftaug.image.datasets.printed_letters import FONTS, TEST_FONTS, _pairs, printed_letters

SMALL = {"sizes": (28,), "strokes": (0.0,), "softness": 0.0}


def test_classes_are_the_letters_in_equal_numbers():
    samples = printed_letters("test", **SMALL)
    assert samples.task.classes == tuple(string.ascii_letters.swapcase())
    assert np.bincount(samples.targets).tolist() == [len(TEST_FONTS)] * 52
    assert samples.read(0).dtype == np.uint8 and samples.read(0).shape == (32, 32)


def test_every_glyph_is_drawn_light_on_black_whole_and_centered():
    for picture in printed_letters("train", sizes=(22, 60), strokes=(0.0, 1.4), softness=0.0).pictures:
        assert picture.max() > 150
        assert not picture[[0, -1]].any() and not picture[:, [0, -1]].any()
        for axis in (0, 1):
            drawn = np.flatnonzero(picture.max(axis=axis) > 20)
            assert abs((drawn[0] + drawn[-1]) / 2 - 15.5) <= 1


def test_the_letters_of_a_font_differ():
    samples = printed_letters("test", **SMALL)
    for letters in samples.pictures.reshape(-1, 52, 32 * 32).astype(float):
        distances = np.linalg.norm(letters[:, None] - letters[None], axis=-1)
        assert distances[~np.eye(52, dtype=bool)].min() > 100


MEASURED_WITH = version("matplotlib").startswith("3.11.") and version("pillow").startswith("13.")


@pytest.mark.skipif(not MEASURED_WITH, reason="other versions may draw other pictures")
def test_the_fonts_of_the_measured_versions_are_not_noted():
    assert printed_letters("test", **SMALL).notes == ()


def test_other_fonts_are_noted(monkeypatch):
    real = printed_letters.__globals__["_face"]
    monkeypatch.setitem(printed_letters.__globals__, "_face", lambda pair: real(("cmr10", pair[1])))
    (note,) = printed_letters("test", **SMALL).notes
    assert note.startswith("matplotlib ") and "draw other pictures than those that the documentation's figures" in note


@pytest.mark.parametrize("sizes", [(20,), (20, 30), (26, 34, 42)])
def test_splits_share_no_font_and_size_and_together_are_all(sizes):
    train, val, test = (_pairs(split, sizes) for split in ("train", "val", "test"))
    assert set(train) | set(val) == set(itertools.product(FONTS, sizes))
    assert not set(train) & set(val) and val
    assert not {font for font, _ in test} & {font for font, _ in train + val}


def test_the_same_call_gives_the_same_pictures():
    first, second = printed_letters("test"), printed_letters("test")
    assert first.fingerprint == second.fingerprint
    assert np.array_equal(first.pictures, second.pictures)


def test_softness_softens_its_share_and_strokes_thicken():
    sharp = printed_letters("test", **SMALL)
    half = printed_letters("test", **{**SMALL, "softness": 0.5})
    changed = (sharp.pictures != half.pictures).any(axis=(1, 2))
    assert 0.35 < changed.mean() < 0.65
    steepest = [np.abs(np.diff(p[changed].astype(int), axis=2)).mean() for p in (half.pictures, sharp.pictures)]
    assert steepest[0] < 0.7 * steepest[1]
    bold = printed_letters("test", **{**SMALL, "strokes": (1.0,)})
    assert bold.pictures.mean() > 1.2 * sharp.pictures.mean()


def test_per_class_cuts_the_training_split_only():
    few = printed_letters("train", **SMALL, per_class=2)
    assert np.bincount(few.targets).tolist() == [2] * 52
    whole = printed_letters("train", **SMALL)
    assert np.array_equal(few.pictures, whole.pictures[few.positions])
    assert len(printed_letters("val", **SMALL, per_class=1)) > 52
