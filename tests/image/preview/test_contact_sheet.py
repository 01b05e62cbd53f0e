"""Sheets for a person: every picture where its labels say, and labels that fit."""

from functools import partial

import numpy as np
import pytest
from pictures import AUGMENTATIONS, augmentation, preprocessing, streams, texture
from PIL import ImageDraw

from ftaug.image.preview import contact_sheet
from ftaug.image.preview.contact_sheet import CELL, GAP, HEADER, LABELS, MARGIN, PITCH, TITLE, Column, Row


def of_one_color(*values):
    return [np.full((20, 20, 3), value, np.uint8) for value in values]


def cell(picture, row, place):
    """The pixels of a cell in the first band."""
    x, y = MARGIN + LABELS + place * (CELL + GAP), MARGIN + TITLE + HEADER + row * PITCH
    return np.asarray(picture)[y : y + CELL, x : x + CELL]


def test_every_picture_is_in_its_row_and_column():
    columns = [Column("a", "one", "", of_one_color(10, 20, 30)), Column("b", "two", "", of_one_color(40, 50, 60))]
    drawn = contact_sheet.draw(columns, [("x", ""), ("y", ""), ("z", "")], "title", "subtitle")
    shown = [[int(np.median(cell(drawn, row, place))) for place in range(2)] for row in range(3)]
    assert shown == [[10, 40], [20, 50], [30, 60]]


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (500, 20), (3, 400), (1200, 900)])
def test_pictures_of_any_shape_stay_in_their_cell(shape):
    columns = [Column("a", "one", "", [np.full((*shape, 3), 99, np.uint8)])]
    drawn = contact_sheet.draw(columns, [("x", "")], "title", "")
    assert (np.asarray(drawn) == 99).all(axis=2).sum() == (cell(drawn, 0, 0) == 99).all(axis=2).sum() > 0


def test_many_columns_go_on_in_a_second_band():
    one = [Column("a", "one", "", of_one_color(10))]
    narrow, wide = (contact_sheet.draw(one * count, [("x", "")], "", "") for count in (8, 13))
    assert wide.width <= narrow.width
    assert wide.height > narrow.height + CELL


def test_long_labels_do_not_reach_the_pictures():
    long = "a very long name of something " * 5
    columns = [Column(long, long, long, of_one_color(10), [long])]
    drawn = np.asarray(contact_sheet.draw(columns, [(long, long)], long, long))
    paper = drawn[:, MARGIN + LABELS - GAP : MARGIN + LABELS]
    below_title = paper[MARGIN + TITLE + HEADER :]
    assert (below_title == 255).all()
    assert (drawn[:, -MARGIN:] == 255).all()


def test_names_and_captions_are_whole(monkeypatch):
    drawn = []
    text = ImageDraw.ImageDraw.text
    monkeypatch.setattr(
        ImageDraw.ImageDraw, "text", lambda pen, at, line, *rest: drawn.append(line) or text(pen, at, line, *rest)
    )
    texts = [
        f"{place} with a very long name, as of a class or a file_without_any_space_in_it.png" for place in range(7)
    ]
    group, heading, note, caption, label, title, subtitle = texts
    short = Column("a", "b", "", of_one_color(10, 10), ["", ""])
    columns = [Column(group, heading, note, of_one_color(10, 20), [caption, "short"]), short]
    sheet = contact_sheet.draw(columns, [(label, "note"), ("second", "")], 3 * title, 9 * subtitle)
    shown = "".join(drawn).replace(" ", "")
    assert all(each.replace(" ", "") in shown for each in texts)
    assert "…" not in shown
    picture = np.asarray(sheet)
    assert ((picture == 10).all(axis=2).sum(), (picture == 20).all(axis=2).sum()) == (3 * CELL * CELL, CELL * CELL)


def rows(*labels):
    return [Row(texture(160, 200, seed), (label,), partial(streams, sample=seed)) for seed, label in enumerate(labels)]


def test_each_column_is_what_its_heading_says():
    ops = [augmentation("horizontal_flip", probability=0.01), augmentation("invert", probability=1.0)]
    columns = contact_sheet.columns(rows("a", "b"), ops, preprocessing(32, resize=None))
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
        contact_sheet.columns(rows(*"abcde"), [augmentation(name, probability=p)], preprocessing(128), together=1)[
            1
        ].pictures
        for p in (0.1, 0.0)
    )
    changed = [(one != other).any() for one, other in zip(rare, never, strict=True)]
    assert sum(changed) >= 2, "a draw may be too weak to see"


def test_without_augmentation_the_model_sees_the_evaluation():
    columns = contact_sheet.columns(rows("a"), [], preprocessing(32))
    assert [column.heading for column in columns] == ["original", "epoch 1"]
    assert columns[1].pictures[0].shape == (32, 32, 3)


def test_a_picture_whose_class_changes_says_so():
    flip = augmentation("horizontal_flip", label_map={"left": "right"})
    alone = contact_sheet.columns(rows("left", "straight"), [flip], preprocessing(32))[1]
    assert list(alone.captions) == ["now right", ""]
