"""Columns of a sheet of images: what their headings say."""

from functools import partial

import numpy as np
import pytest
from pictures import AUGMENTATIONS, augmentation, preprocessing, streams, texture

from ftaug.image.preview import columns as sheet_columns
from ftaug.interfaces.preview import Row


def rows(*labels):
    return [Row(texture(160, 200, seed), (label,), partial(streams, sample=seed)) for seed, label in enumerate(labels)]


def test_each_column_is_what_its_heading_says():
    ops = [augmentation("horizontal_flip", probability=0.01), augmentation("invert", probability=1.0)]
    columns = sheet_columns.columns(rows("a", "b"), ops, preprocessing(32, resize=None))
    assert [column.heading for column in columns[:3]] == ["original", "horizontal_flip", "invert"]
    assert {column.group for column in columns[3:]} == {"what the model sees"}
    for row, original, inverted in zip(rows("a", "b"), columns[0].pictures, columns[2].pictures, strict=True):
        np.testing.assert_array_equal(original, row.raw)
        assert abs(inverted.mean() + row.raw.mean() - 255) < 1


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_an_op_alone_is_shown_when_it_fires(name):
    if "probability" not in augmentation(name).settings:
        return
    rare, never = (
        sheet_columns.columns(rows(*"abcde"), [augmentation(name, probability=p)], preprocessing(128), together=1)[
            1
        ].pictures
        for p in (0.1, 0.0)
    )
    changed = [(one != other).any() for one, other in zip(rare, never, strict=True)]
    assert sum(changed) >= 2, "a draw may be too weak to see"


def test_without_augmentation_the_model_sees_the_evaluation():
    columns = sheet_columns.columns(rows("a"), [], preprocessing(32))
    assert [column.heading for column in columns] == ["original", "epoch 1"]
    assert columns[1].pictures[0].shape == (32, 32, 3)


def test_a_picture_whose_class_changes_says_so():
    flip = augmentation("horizontal_flip", label_map={"left": "right"})
    alone = sheet_columns.columns(rows("left", "straight"), [flip], preprocessing(32))[1]
    assert list(alone.captions) == ["now right", ""]
