import hashlib
from pathlib import Path

import numpy as np
import pytest

from ftaug.data.packed import Packed
from ftaug.data.shards.labels import Labeled, LabelReader, fingerprint, labels_of_folders
from ftaug.data.tables.targets import targets
from ftaug.errors import BadData
from ftaug.interfaces.data import Task


def read(values, classes=None, groups=None, **settings):
    keys = {"label": "label", **settings}
    reader = LabelReader(targets("image_shards", classes=classes, **keys), classes, groups and "by")
    for place, value in enumerate(values):
        with reader.collecting(lambda place=place: f"sample {place}"):
            reader.add(lambda place=place: f"sample {place}", [value], groups[place] if groups else None)
    return reader.finish(Path("t.tar"), "picture")


def test_names_and_numbers():
    named = read(["b", "a", "b"])
    assert named.task == Task(("a", "b")) and named.targets.tolist() == [1, 0, 1]
    assert read([10, 9, 10]).task.classes == ("9", "10")
    listed = read([1, 0, 1.0], classes=("x", "y", "z"))
    assert listed.task.classes == ("x", "y", "z") and listed.targets.tolist() == [1, 0, 1]
    assert listed.notes == ("no picture of 'z'",)
    assert read(["1", "3"], classes=("3", "1")).targets.tolist() == [1, 0]  # names come before numbers


def test_lists_are_several_labels():
    several = read([["a"], [], ["b", "a"]])
    assert several.task == Task(("a", "b"), multi_label=True) and several.targets.tolist() == [[1, 0], [0, 0], [1, 1]]
    assert read([[1], [0, 1]], classes=("x", "y", "z")).targets.tolist() == [[0, 1, 0], [1, 1, 0]]
    assert read([[1, 0, 1]], classes=("x", "y", "z")).targets.tolist() == [[1, 0, 1]]


def test_numbers_to_predict():
    values = read([0.25, 3], label=None, target="age")
    assert values.task == Task(("age",), regression=True) and values.targets.tolist() == [[0.25], [3.0]]


def test_groups():
    groups = read(["a"] * 5, groups=["p1", None, "P1", None, "p2"]).groups
    assert groups.tolist() == [0, 1, 0, 2, 3]


@pytest.mark.parametrize(
    ("values", "classes", "message"),
    [
        ([0, 3], ("x", "y"), "sample 1: the label 3 is beyond the 2 classes, 0 to 1"),
        ([-1, 0], ("x", "y"), "sample 0: the label is -1, which stands for none"),
        ([0, "cat"], None, "sample 1: the label is a text, and that of sample 0 is a number"),
        (["cat", ["cat"]], None, "sample 1: the label is a list, and that of sample 0 is a text"),
        ([["x", "u"]], ("x", "y"), "sample 0: 'u' is not one of the classes"),
        (["cat", None], None, "sample 1: the label is empty"),
        (["cat", "Cat"], None, "labels that differ only in case"),
    ],
)
def test_bad_labels_are_errors_with_the_sample(values, classes, message):
    with pytest.raises(BadData, match=message):
        read(values, classes)


def test_many_bad_labels_are_cut_short():
    with pytest.raises(BadData) as caught:
        read([9] * 1000, classes=("x", "y"))
    assert len(caught.value.problems) == 6 and "more labels like these" in str(caught.value)


def folders(*sample_names):
    return labels_of_folders(Path("t.tar"), Packed.of(name.encode() for name in sample_names))


def test_class_folders():
    labeled = folders("9/a", "10/x/b", "10/c")
    assert labeled.task.classes == ("9", "10") and labeled.targets.tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ("photos/cat/1", "photos/dog/2"),
            "all are in the folder 'photos', which holds 'cat', 'dog': set root: photos",
        ),
        (("train/cat/1", "val/cat/2"), "holds the splits 'train', 'val', not classes: set root: train"),
        (("cat/1", "Cat/2"), "differ only in case, spacing or encoding: 'cat', 'Cat'; rename one"),
    ],
)
def test_folders_that_are_no_classes_are_errors(names, message):
    with pytest.raises(BadData, match=message):
        folders(*names)


def test_the_fingerprint_covers_names_sizes_and_labels():
    names, sizes = Packed.of([b"a/1", b"b/2"]), np.array([3, 4])
    labeled = Labeled(np.array([0, 1]), Task(("a", "b")), folders=("b", "a"))
    assert fingerprint(names, sizes, labeled) == hashlib.sha256(b"a/1\x003\x00b/2\x004\x00a\0b\0").hexdigest()
    table = Labeled(np.array([0, 1]), Task(("a", "b")), np.array([5, 5]))
    content = b"a/1\x003\x00b/2\x004\x00" + table.targets.tobytes() + table.groups.tobytes() + b"a\0b"
    assert fingerprint(names, sizes, table) == hashlib.sha256(content).hexdigest()
