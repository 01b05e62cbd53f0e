import json

import pytest
from archives import write_tar

from ftaug.config.registry import Component
from ftaug.data.folders.scan import Kind
from ftaug.data.shards.archive_index import LabelSettings, archive_index, archive_tasks
from ftaug.errors import BadData, ExperimentError

PICTURES = Kind("picture", (b".jpg",))
UNSET = dict.fromkeys(("labels_from", "label", "target", "group", "classes"))


def read(tmp_path, members, root=None, **settings):
    path = write_tar(tmp_path / "t.tar", members)
    labels = LabelSettings.of("image_shards", {**UNSET, **settings})
    return archive_index("image_shards", "train", path, PICTURES, root, labels)


def pairs(suffix, *contents):
    return {f"{n}.{end}": c for n, content in enumerate(contents) for end, c in (("jpg", b"x"), (suffix, content))}


def test_cls_files_hold_names_or_numbers(tmp_path):
    named = read(tmp_path, pairs("cls", b"cat\n", b"dog", b" cat "))
    assert named.task.classes == ("cat", "dog") and named.targets.tolist() == [0, 1, 0]
    listed = read(tmp_path, pairs("cls", b"1", b"0\n"), classes=("x", "y"))
    assert listed.task.classes == ("x", "y") and listed.targets.tolist() == [1, 0]


def test_json_files_hold_labels_numbers_and_groups(tmp_path):
    records = [{"label": "a", "age": 1.5, "by": "p"}, {"label": "b", "age": 2, "by": "q"}]
    members = pairs("json", *(json.dumps(record).encode() for record in records))
    assert read(tmp_path, members).targets.tolist() == [0, 1]
    assert read(tmp_path, members, group="by").groups.tolist() == [0, 1]
    assert read(tmp_path, members, target="age").targets.tolist() == [[1.5], [2.0]]
    assert read(tmp_path, {"x/1.jpg": b"", "y/2.jpg": b"", "x/1.json": b"{}"}, labels_from="folder").task.classes == (
        "x",
        "y",
    )


@pytest.mark.parametrize(
    ("members", "settings", "message"),
    [
        (pairs("json", b'{"label": "a"}', b'{"lable": "a"}'), {}, "t.tar/1.json: no key 'label'; did you mean 'lable'"),
        (pairs("json", b"[1]"), {}, "t.tar/0.json: .*must be a JSON object"),
        (pairs("json", b'{"label": 1, "label": 2}'), {}, "t.tar/0.json: duplicate key 'label'"),
        (pairs("cls", b"\xff"), {}, "t.tar/0.cls: is not UTF-8"),
        (pairs("cls", b"1", b"cat"), {}, "t.tar/1.cls: the label is a text, and that of .*t.tar/0.cls is a number"),
        (pairs("cls", b"7"), {"classes": ("x", "y")}, "t.tar/0.cls: the label 7 is beyond the 2 classes, 0 to 1"),
        ({"a/1.jpg": b""}, {"classes": ("x", "y")}, r"labels are folders \(labels_from: folder\); leave out classes"),
        ({"README": b""}, {}, "t.tar holds no pictures; 1 file of another kind ignored: without an ending"),
    ],
)
def test_bad_labels_are_errors(tmp_path, members, settings, message):
    with pytest.raises(BadData, match=message):
        read(tmp_path, members, **settings)


@pytest.mark.parametrize(
    ("settings", "tasks"),
    [
        ({}, ("single_label", "multi_label")),
        ({"labels_from": "cls"}, ("single_label",)),
        ({"target": "age"}, ("regression",)),
    ],
)
def test_tasks(settings, tasks):
    assert archive_tasks(Component("dataset", "image_shards", {**UNSET, **settings}, "image")) == tasks


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"labels_from": "cls", "label": "x"}, "label is a key of .json files; leave out labels_from"),
        ({"labels_from": "folder", "classes": ("a",)}, "classes is for labels in files"),
        ({"target": "age", "classes": ("a",)}, "target is for numbers, classes for classes; leave one out"),
    ],
)
def test_conflicting_settings_are_errors(settings, message):
    with pytest.raises(ExperimentError, match=message):
        archive_tasks(Component("dataset", "image_shards", {**UNSET, **settings}, "image"))
