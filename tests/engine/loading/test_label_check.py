"""What labels look like that were read wrongly, and that ordinary ones pass without a word."""

from types import SimpleNamespace

import numpy as np
import pytest

from ftaug.engine.loading.label_check import cautions
from ftaug.engine.loading.split import DataSplit, load_splits
from ftaug.errors import BadData
from ftaug.experiment_file import load
from ftaug.interfaces.data import Task

TABLE, FOLDER = "{image_table: {path: t.csv}}", "{image_folder: {path: f}}"


def said(folder, classes, targets=None, *overrides, train=TABLE, **kind):
    (folder / "a.yaml").write_text(f"data: {{train: {train}}}\nbackbone: resnet20\n")
    targets = np.asarray(targets if targets is not None else [*range(len(classes))] * 10)
    data = DataSplit("train", SimpleNamespace(), np.arange(len(targets)), targets, Task(tuple(classes), **kind))
    return list(cautions(load(folder / "a.yaml", overrides), data))


@pytest.mark.parametrize(
    "classes",
    [
        ["cat", "dog"],
        ["none", "mild", "severe"],
        [str(digit) for digit in range(10)],
        ["Paris, Texas", "Rome, Georgia", "Portland"],
        ["salt|pepper", "sugar"],
    ],
)
def test_ordinary_classes_pass_without_a_word(tmp_path, classes):
    assert said(tmp_path, classes) == []


def test_numbers_with_a_class_for_nearly_every_sample(tmp_path):
    numbers = [f"{place}.5" for place in range(38)]
    assert said(tmp_path, numbers, [*range(38), 0, 1]) == [
        "train: 38 classes for 40 samples, such as '0.5', '1.5', '2.5': they look like numbers to predict; "
        "for regression set target in place of label"
    ]
    assert "for regression list them in a table" in said(tmp_path, numbers, [*range(38), 0, 1], train=FOLDER)[0]
    assert said(tmp_path, numbers, [*range(38)] * 2) == []
    commas = [f"{place % 9},{place // 9}" for place in range(40)]
    assert said(tmp_path, commas, [*range(40)])[0].endswith("for regression set target in place of label")


def test_a_class_for_nearly_every_sample_is_no_class(tmp_path):
    (caution,) = said(tmp_path, [f"scan {place}" for place in range(20)], [*range(20)])
    assert caution.startswith(
        "train: 20 classes for 20 samples, such as 'scan 0', 'scan 1', 'scan 2': they look like names"
    )
    assert said(tmp_path, ["a", "b", "c"], [0, 1, 2]) == []


@pytest.mark.parametrize("mark", "|;,")
def test_several_labels_in_one_name(tmp_path, mark):
    sets = [["a"], ["b"], ["a", "b"], ["b", " c"], ["a", "b", "c"]]
    classes = [mark.join(one) for one in sets]
    assert said(tmp_path, classes) == [
        f"train: 3 of 5 classes look like several labels in one, such as 'a{mark}b' and 'b{mark} c'; "
        f'for several labels a sample set labels_separator: "{mark}"'
    ]
    targets = np.eye(5, dtype=np.uint8)
    assert len(said(tmp_path, classes, targets, multi_label=True)) == 1
    right = f'data.train.image_table.labels_separator="{mark}"'
    assert said(tmp_path, classes, targets, right, multi_label=True) == []


@pytest.mark.parametrize("name", ["nan", "None", "NULL", "<NA>"])
def test_a_class_that_looks_like_a_missing_value(tmp_path, name):
    assert said(tmp_path, ["cat", name], [0, 0, 1]) == [
        f"train: the class '{name}' (1 sample) looks like a missing value"
    ]


def test_the_order_of_a_scale_is_that_of_numbers_or_set_or_asked_for(tmp_path):
    words, ordinal = ["fair", "good", "poor"], "loss=ordinal"
    assert said(tmp_path, words, None, ordinal) == [
        "train: ordinal takes the classes in the order of their names, fair < good < poor; set classes if their scale "
        "is another"
    ]
    assert "rename the folders" in said(tmp_path, words, None, ordinal, train=FOLDER)[0]
    assert said(tmp_path, words, None, "evaluate.metrics=[accuracy, quadratic_kappa]")[0].startswith("train: quadratic")
    assert said(tmp_path, [str(n) for n in range(1, 13)], None, ordinal) == []
    assert said(tmp_path, words, None, ordinal, "data.train.image_table.classes=[poor, fair, good]") == []


def test_numbers_have_no_classes(tmp_path):
    assert said(tmp_path, ["price"], np.arange(20.0)[:, None], regression=True) == []


def test_a_split_that_such_labels_make_impossible_says_so(tmp_path):
    rows = "".join(f"{place}.png,{place}.25\n" for place in range(12))
    (tmp_path / "t.csv").write_text(f"path,label\n{rows}")
    for place in range(12):
        (tmp_path / f"{place}.png").touch()
    (tmp_path / "a.yaml").write_text(f"data: {{train: {TABLE}}}\nbackbone: resnet20\n")
    for val in ("{split: 25%}", "{fold: 1, of: 3}"):
        experiment = load(tmp_path / "a.yaml", [f"data.val={val}"])
        with pytest.raises(
            BadData, match=r"12 classes for 12 samples, .* numbers to predict; for regression set target"
        ):
            load_splits(experiment.data, 0)
