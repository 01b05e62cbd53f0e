from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from fixed_samples import Fixed, Source

from ftaug.config.experiment import Data, Split
from ftaug.engine.loading.split import DataSplit, load_splits
from ftaug.engine.loading.split_notes import shared_samples, size_mismatches, unused_rows
from ftaug.experiment_file import load
from ftaug.interfaces.data import Task

TABLE = "{text_table: {path: t.csv, split_column: use}}"


@pytest.mark.parametrize(
    ("val", "test", "said"),
    [
        ("{split: 2}", "null", "9 of 17 rows are not used: column 'use' holds 'holdout' (3), 'test' (2), 'val' (4), "
         "and only data.train reads the table"),
        (TABLE, "null", "5 of 17 rows are not used: column 'use' holds 'holdout' (3), 'test' (2), and only data.train, "
         "data.val read the table"),
        (TABLE, TABLE, "3 of 17 rows are not used: column 'use' holds 'holdout' (3), and only data.train, data.test, "
         "data.val read the table"),
    ],
)  # fmt: skip
def test_rows_of_splits_that_nothing_reads_are_counted(tmp_path, val, test, said):
    uses = ["train"] * 8 + ["dev"] * 3 + [" Validation "] + ["holdout"] * 3 + ["test"] * 2
    rows = [f"text {i},{'ab'[i % 2]},{use}" for i, use in enumerate(uses)]
    (tmp_path / "t.csv").write_text("\n".join(["text,label,use", *rows]))
    data = f"data: {{train: {TABLE}, val: {val}, test: {test}}}"
    (tmp_path / "x.yaml").write_text(f"modality: text\nbackbone: tiny_text\n{data}\n")
    assert unused_rows(load_splits(load(tmp_path / "x.yaml").data, 0)) == [f"{tmp_path / 't.csv'}: {said}"]


def test_nothing_is_said_where_all_rows_are_read(tmp_path):
    rows = [f"text {i},{'ab'[i % 2]},{'train' if i < 6 else 'val'}" for i in range(10)]
    (tmp_path / "t.csv").write_text("\n".join(["text,label,use", *rows]))
    for data in (f"{{train: {TABLE}, val: {TABLE}}}", "{train: {text_table: {path: t.csv}}}"):
        (tmp_path / "x.yaml").write_text(f"modality: text\nbackbone: tiny_text\ndata: {data}\n")
        assert unused_rows(load_splits(load(tmp_path / "x.yaml").data, 0)) == []


def split(purpose, keys, ids, **others):
    samples = SimpleNamespace(keys=keys and np.array(keys), name=lambda i: f"{purpose}[{i}]", **others)
    return DataSplit(purpose, samples, np.array(ids), np.zeros(len(ids), int), Task(("a", "b")))


def test_samples_of_another_dataset_that_are_for_training_too():
    train = split("train", [1, 2, 3, 4], [0, 1, 3])
    assert shared_samples(split("val", [9, 3, 4, 8, 1], [0, 1, 2, 3, 4]), train) == (
        "2 samples are also in train, such as val[2]: metrics there say nothing about new samples"
    )
    assert shared_samples(split("val", [9, 3, 4], [0, 1]), train) is None
    assert shared_samples(split("val", None, [0, 1]), train) is None
    pool = replace(split("unlabeled", [7, 9], [0, 1]), task=Task(()))
    assert shared_samples(split("val", [9, 3], [0, 1]), pool) == (
        "1 sample is also in unlabeled, such as val[0]: trained on without their labels"
    )


def test_a_split_of_the_same_dataset_shares_nothing():
    train = split("train", [1, 1, 2], [0, 2])
    assert shared_samples(DataSplit("val", train.samples, np.array([1]), train.targets[:1], train.task), train) is None


def test_a_split_that_groups_make_much_smaller_is_told():
    samples = SimpleNamespace(
        task=Task(("a", "b")),
        targets=np.arange(24) % 2,
        groups=np.array([0, 1] * 11 + [0, 2]),
        notes=(),
        fingerprint="",
        name=str,
    )
    data = Data(train=Source(Fixed(samples)), val=Split(0.25))
    assert list(size_mismatches(data, load_splits(data, 0))) == [
        "val: 1 sample, not 6 as asked for: groups and rows of the same sample stay together"
    ]
    samples.groups = None
    assert not list(size_mismatches(data, load_splits(data, 0)))
    samples.task, samples.targets = Task(tuple("abcdefgh")), np.arange(24) % 8
    few = Data(train=Source(Fixed(samples)), val=Split(0.1))
    assert list(size_mismatches(few, load_splits(few, 0))) == [
        "val: 8 samples, not 2 as asked for: each class is on both sides"
    ]
