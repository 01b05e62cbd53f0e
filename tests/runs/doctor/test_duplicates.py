"""Duplicates are told apart by kind, those across splits first."""

import shutil

import numpy as np
from doctor_data import scanned, write_pictures

from ftaug.runs.doctor import duplicates


def test_groups_are_connected_components():
    pairs = np.array([[3, 7], [0, 2], [2, 5], [5, 9], [7, 8]])
    groups = duplicates.group_ids(pairs, 10)
    assert groups.tolist() == [0, 1, 0, 3, 4, 0, 6, 3, 3, 0]
    assert duplicates.group_ids(np.empty((0, 2), np.int64), 3).tolist() == [0, 1, 2]


def test_exact_copies_by_kind(tmp_path):
    config = write_pictures(tmp_path)
    cat, dog, test = tmp_path / "train" / "cat", tmp_path / "train" / "dog", tmp_path / "test"
    shutil.copy(cat / "0.png", cat / "again.png")
    shutil.copy(cat / "1.png", dog / "relabeled.png")
    shutil.copy(cat / "2.png", test / "cat" / "leaked.png")
    shutil.copy(cat / "3.png", test / "dog" / "leaked.png")
    scan = scanned(config)
    pairs = duplicates.find(scan, "image", 0)
    findings = duplicates.findings(scan, pairs, "picture")
    assert [(each.level, each.count, each.text) for each in findings if each.check == "exact_duplicates"] == [
        ("caution", 1, "test: exact copies of pictures in train, with another label"),
        ("caution", 1, "test: exact copies of pictures in train"),
        ("caution", 1, "train: exact copies of one another, with another label"),
        ("note", 1, "train: exact copies of one another"),
    ]
    assert findings[0].examples == [f"{test}/dog/leaked.png (dog) = {cat}/3.png (cat)"]
    groups = [*duplicates.as_json(scan, pairs)]
    assert [[sample["name"] for sample in group["samples"]] for group in groups] == [
        [f"{cat}/0.png", f"{cat}/again.png"],
        [f"{cat}/1.png", f"{dog}/relabeled.png"],
        [f"{cat}/2.png", f"{test}/cat/leaked.png"],
        [f"{cat}/3.png", f"{test}/dog/leaked.png"],
    ]
    assert all(group["exact"] for group in groups)
