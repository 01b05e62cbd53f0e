"""Sheets for a person: every picture where its labels say, and labels that fit."""

import numpy as np
import pytest
from PIL import ImageDraw

from ftaug.documents import contact_sheet
from ftaug.documents.contact_sheet import CELL, GAP, HEADER, LABELS, MARGIN, PITCH, TITLE, Column


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
