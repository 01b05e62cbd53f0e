"""Tables of pictures with numbers: what is read, and what is refused with its line."""

import numpy as np
import pytest

from ftaug.errors import BadData, ExperimentError
from ftaug.image.datasets.table import image_table
from ftaug.interfaces.data import Task


def table(folder, *rows, name="t.csv", header="path,price,weight,owner"):
    for row in rows:
        (folder / row.split(",")[0]).write_bytes(b"x")
    (folder / name).write_text("\n".join([header, *rows]) + "\n")
    return folder / name


def test_one_column_or_several_in_their_order(tmp_path):
    path = table(tmp_path, "a.png,1.5,-2e3,x", "b.png, 3 ,4,y", "c.png,0,1,x")
    one = image_table("train", path=path, target="price", group="owner")
    assert one.task == Task(("price",), regression=True)
    assert one.targets.dtype == np.float64 and one.targets.tolist() == [[1.5], [3.0], [0.0]]
    assert one.groups.tolist() == [0, 1, 0]
    both = image_table("train", path=path, target=("weight", "price"))
    assert both.targets.tolist() == [[-2000.0, 1.5], [4.0, 3.0], [1.0, 0.0]]
    assert len({one.fingerprint, both.fingerprint}) == 2


def test_the_fingerprint_follows_the_numbers(tmp_path):
    first = image_table("train", path=table(tmp_path, "a.png,1,2,x"), target="price").fingerprint
    again = image_table("train", path=table(tmp_path, "a.png,1,9,y"), target="price").fingerprint
    other = image_table("train", path=table(tmp_path, "a.png,1.0001,2,x"), target="price").fingerprint
    assert first == again != other


def test_rows_of_other_splits_do_not_count(tmp_path):
    path = table(tmp_path, "a.png,1,2,train", "b.png,7,8,val", "c.png,3,4,train")
    samples = image_table("train", path=path, target="price", split_column="owner")
    assert samples.targets.tolist() == [[1.0], [3.0]]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("cheap", r"t\.csv:2: column 'price' must contain a number; got 'cheap'"),
        ("", r"column 'price' must contain a number; got nothing"),
        ("nan", r"column 'price' must contain a finite number; got 'nan'"),
        ("1e39", r"column 'price' must contain a finite number; got '1e39'"),
    ],
)
def test_what_is_no_number_is_refused_with_its_line(tmp_path, cell, words):
    with pytest.raises(BadData, match=words):
        image_table("train", path=table(tmp_path, f"a.png,{cell},2,x"), target="price")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"label": "owner"}, "target is for numbers, label for classes; leave one out"),
        ({"classes": ("a", "b")}, "target is for numbers, classes for classes"),
        ({"labels_separator": "|"}, "target is for numbers, labels_separator for classes"),
        ({"target": ("price", "price")}, "target must be a column, or a list of different ones"),
    ],
)
def test_settings_for_classes_do_not_go_with_numbers(tmp_path, settings, words):
    with pytest.raises(ExperimentError, match=words):
        image_table("train", path=table(tmp_path, "a.png,1,2,x"), **{"target": "price", **settings})


def test_a_column_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BadData, match=r"no column 'prize'.*did you mean 'price'"):
        image_table("train", path=table(tmp_path, "a.png,1,2,x"), target="prize")
