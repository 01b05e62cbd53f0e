"""Records are written and read back without loss; the columns hold what scikit-learn computes from them."""

import csv
from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.metrics import log_loss

from ftaug.engine.loading.split import DataSplit
from ftaug.errors import BadData
from ftaug.interfaces.data import Task
from ftaug.runs import sample_records
from ftaug.statistics.metric_table import standard_metrics
from ftaug.statistics.records import Records, unweighted

RNG = np.random.default_rng(0)


@dataclass
class Named:
    count: int

    def __len__(self):
        return self.count

    def key(self, index):
        return f"{index % 10}.png"  # each key is that of several samples

    def name(self, index):
        return f"/data/{self.key(index)}"


def records_of(task, n=40, groups=None):
    count = len(task.classes)
    if task.regression:
        return Records(task, RNG.normal(size=(n, count)), RNG.normal(size=(n, count)), groups)
    if task.multi_label:
        predictions = RNG.random((n, count)).astype(np.float32)
        return Records(task, predictions, (RNG.random((n, count)) < 0.3).astype(np.uint8), groups)
    logits = RNG.normal(size=(n, count)) * 2
    predictions = (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)).astype(np.float32)
    return Records(task, predictions, RNG.integers(0, count, n), groups)


def written(records, folder, **columns):
    """Write records of every second sample of a dataset."""
    n = len(records)
    split = DataSplit("val", Named(2 * n), np.arange(0, 2 * n, 2), records.targets, records.task)
    path = folder / "val.samples.csv"
    path.write_bytes(sample_records.to_csv(split, records, columns))
    with path.open(newline="") as file:
        return path, list(csv.DictReader(file))


@pytest.mark.parametrize(
    "task",
    [
        Task(("rose", "tulip, red", "id")),
        Task(("a", "b", "c"), multi_label=True, thresholds=(0.2, 0.5, 0.8)),
        Task(("x", "y"), regression=True),
    ],
)
@pytest.mark.parametrize("groups", [None, np.arange(40) // 4])
def test_records_are_read_back_exactly(tmp_path, task, groups):
    records = records_of(task, groups=groups)
    path, rows = written(records, tmp_path)
    again = sample_records.read(path, task, "ftaug evaluate RUN")
    order = np.argsort([row["id"] for row in rows])
    np.testing.assert_array_equal(again.records.predictions, records.predictions[order])
    np.testing.assert_array_equal(again.records.targets, records.targets[order])
    assert again.records.predictions.dtype == records.predictions.dtype
    assert (again.records.groups is None) == (groups is None)
    assert len(set(again.ids)) == len(records) and again.ids.tolist() == sorted(again.ids)
    if groups is not None:
        assert again.records.groups.tolist() == groups[order].tolist()


def test_columns_hold_loss_prediction_and_the_columns_of_the_table(tmp_path):
    task = Task(("rose", "tulip"))
    records = records_of(task)
    _, rows = written(records, tmp_path, camera=[f"camera {i}" for i in range(40)], age=[i / 3 for i in range(40)])
    predictions = records.predictions / records.predictions.sum(axis=1, keepdims=True, dtype=np.float64)
    losses = [log_loss([t], [p], labels=[0, 1]) for t, p in zip(records.targets, predictions, strict=True)]
    assert [float(row["loss"]) for row in rows] == pytest.approx(losses, abs=1e-6)
    assert [row["target"] for row in rows] == [task.classes[t] for t in records.targets]
    assert [row["correct"] == "1" for row in rows] == [row["target"] == row["prediction"] for row in rows]
    assert [row["column_camera"] for row in rows] == [f"camera {i}" for i in range(40)]
    assert [float(row["column_age"]) for row in rows] == pytest.approx([i / 3 for i in range(40)], rel=1e-5)
    assert rows[1]["name"] == "/data/2.png"


def test_ids_do_not_depend_on_the_other_samples_of_the_split_or_on_their_place(tmp_path):
    task = Task(("rose", "tulip"))
    records = records_of(task)
    _, rows = written(records, tmp_path)
    half = DataSplit("val", Named(80), np.arange(40, 80, 2), records.targets[20:], task)
    again = sample_records.to_csv(half, records.select(np.arange(20, 40)), {}).decode().splitlines()[1:]
    assert [line.split(",")[0] for line in again] == [row["id"] for row in rows[20:]]


def test_beyond_1000_classes_the_highest_50_and_the_target_are_written(tmp_path):
    task = Task(tuple(f"c{i}" for i in range(1001)))
    records = records_of(task, n=30)
    path, rows = written(records, tmp_path)
    assert len(rows[0]) == 2 + 2 + 2 * 50 + 1 + 2
    again = sample_records.read(path, task, "ftaug evaluate RUN")
    assert not sample_records.is_complete(task)
    order = np.argsort([row["id"] for row in rows])
    for name in ("accuracy", "top_5", "nll", "ece", "f1_macro", "mcc"):
        metric = standard_metrics(task)[name]
        expected = metric.value(unweighted(records.select(order)))
        assert metric.value(unweighted(again.records)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("probability_rose", "probability_daisy", "are records of another task or version"),
        ("rose,tulip,", "daisy,tulip,", "is damaged"),
        ("0.", "x.", "is damaged"),
    ],
)
def test_damaged_files_name_the_command_that_writes_them(tmp_path, before, after, words):
    task = Task(("rose", "tulip"))
    path, _ = written(records_of(task), tmp_path)
    path.write_text(path.read_text().replace(before, after))
    with pytest.raises(BadData, match=words) as caught:
        sample_records.read(path, task, "ftaug evaluate RUN")
    assert str(caught.value).endswith("anew: ftaug evaluate RUN")


def test_a_file_without_samples_is_refused(tmp_path):
    task = Task(("rose", "tulip"))
    path, _ = written(records_of(task), tmp_path)
    path.write_text(path.read_text().splitlines()[0] + "\n")
    with pytest.raises(BadData, match="holds no samples"):
        sample_records.read(path, task, "ftaug evaluate RUN")
