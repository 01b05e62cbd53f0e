"""Samples of a preview: of one class, or spread over all."""

import numpy as np
import pytest

from ftaug.engine.loading.split import DataSplit
from ftaug.errors import ExperimentError
from ftaug.experiment_file import load
from ftaug.interfaces.data import Task
from ftaug.runs import preview_request

EXPERIMENT = """
name: numbers
data: {train: digits, val: null}
backbone: {resnet20: {weights: none}}
augment: [rotate]
"""


class Pictures:
    def read(self, index):
        return np.full((8, 8, 3), index, np.uint8)

    def name(self, index):
        return f"picture {index}"


@pytest.fixture
def request_of(tmp_path, monkeypatch):
    """Build the request for a preview of these targets."""
    (tmp_path / "f.yaml").write_text(EXPERIMENT)
    experiment = load(tmp_path / "f.yaml")

    def request_of(task, targets, count, class_name=None):
        split = DataSplit("train", Pictures(), 10 + np.arange(len(targets)), np.array(targets), task)
        monkeypatch.setattr(preview_request, "load_splits", lambda data, seed: {"train": split})
        modality = preview_request.modality_of(experiment)
        monkeypatch.setattr(modality.preview, "effects", lambda request: [])
        return preview_request.preview_request(experiment, class_name, count)

    return request_of


ABC = Task(("a", "b", "c"))
TARGETS = [0, 0, 0, 0, 1, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("count", "labels"), [(1, "a"), (2, "ac"), (3, "abc"), (5, "aabbc"), (6, "aabbcc"), (99, "aaaabbbcc")]
)
def test_samples_are_spread_over_the_classes(request_of, count, labels):
    request = request_of(ABC, TARGETS, count)
    assert "".join(label for row in request.rows for label in row.labels) == labels
    assert len({row.name for row in request.rows}) == len(request.rows)


def test_samples_of_one_class(request_of):
    request = request_of(ABC, TARGETS, 2, "b")
    assert [(row.name, row.labels, row.label_text) for row in request.rows] == [
        ("picture 14", ("b",), "b"),
        ("picture 15", ("b",), "b"),
    ]
    assert (request.rows[0].raw == 14).all()
    assert (request.title, request.samples, [op.name for op in request.augment]) == ("numbers", 9, ["rotate"])


def test_several_labels_a_sample(request_of):
    task = Task(("a", "b"), multi_label=True)
    targets = np.array([[1, 0], [1, 1], [0, 0], [0, 1], [0, 1]], np.uint8)
    assert [row.labels for row in request_of(task, targets, 9, "b").rows] == [("a", "b"), ("b",), ("b",)]
    assert [row.name for row in request_of(task, targets, 3).rows] == ["picture 10", "picture 12", "picture 14"]


def test_the_streams_of_a_row_are_those_of_training(request_of):
    """By sample and epoch, whatever the other rows are."""
    requests = request_of(ABC, TARGETS, 9), request_of(ABC, TARGETS, 2, "b")
    rows = [next(row for row in request.rows if row.name == "picture 15") for request in requests]
    draws = [row.streams(epoch)("rotate").random() for row in rows for epoch in (0, 1)]
    assert draws[:2] == draws[2:] and draws[0] != draws[1]


def test_classes_that_are_not_there(request_of):
    with pytest.raises(ExperimentError, match=r"--class bb: data\.train has no class 'bb'"):
        request_of(ABC, TARGETS, 2, "bb")
    with pytest.raises(ExperimentError, match="--class a: "):
        request_of(Task(("n",), regression=True), [[0.5], [1.0]], 2, "a")
