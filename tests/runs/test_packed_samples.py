import json
from dataclasses import dataclass

import numpy as np
import pytest

from ftaug.errors import BadData, BadSample
from ftaug.interfaces.data import Task
from ftaug.runs.packed_samples import PackedSamples


@dataclass
class Stored:
    """Samples with these keys."""

    keys_: list
    targets: np.ndarray
    task: Task
    groups: np.ndarray | None = None

    def __len__(self):
        return len(self.keys_)

    def key(self, index):
        return self.keys_[index]

    name = key


TASK = Task(("a", "b"))


def packed(*keys, targets=(0, 1), task=TASK, groups=None, suffix=".jpg"):
    samples = Stored([*keys], np.array(targets), task, groups)
    return PackedSamples.of(samples, lambda index: (b"%d" % index, suffix))


def test_class_folders_stay_and_training_samples_are_shuffled():
    data = packed("a/1.jpg", "b/x/2.JPEG")
    assert [data.files(i) for i in range(2)] == [{"a/1.jpg": b"0"}, {"b/x/2.JPEG": b"1"}]
    assert data.settings() == {"labels_from": "folder"}
    many = packed(*(f"{'ab'[n % 2]}/{n}.jpg" for n in range(50)), targets=[n % 2 for n in range(50)])
    assert sorted(many.order(3, "train")) == [*range(50)] != many.order(3, "train").tolist()
    assert many.order(3, "train").tolist() == many.order(3, "train").tolist() != many.order(4, "train").tolist()
    assert many.order(3, "val").tolist() == [*range(50)]


@pytest.mark.parametrize(
    "settings",
    [
        {"task": Task(("b", "a")), "targets": (1, 0)},  # an order of classes of its own
        {"task": Task(("a", "b", "c"))},  # a class without samples
        {"groups": np.array([0, 0])},
    ],
)
def test_what_folders_cannot_say_is_in_json_files(settings):
    data = packed("a/1.jpg", "b/2.jpg", **settings)
    assert data.order(0, "train").tolist() == [0, 1]
    first = data.files(0)
    assert [*first] == ["a/1.jpg", "a/1.json"] and json.loads(first["a/1.json"])["label"] == "a"
    assert data.settings()["labels_from"] == "json" and data.settings()["classes"] == [*data.samples.task.classes]
    assert ("group" in json.loads(first["a/1.json"])) == ("group" in data.settings()) == ("groups" in settings)


def test_keys_that_are_no_paths_or_not_unique_are_replaced_by_numbers():
    for keys in (("digits[1]", "digits[2]"), ("x/1.jpg", "x/1.png"), ("../1.jpg", "2.jpg"), ("/1.jpg", "/2.jpg")):
        assert [*packed(*keys).files(1)] == ["00000001.jpg", "00000001.json"]


def test_a_file_of_another_format_has_a_further_suffix():
    assert [*packed("a/1.png", "b/2.png").files(0)] == ["a/1.png.jpg"]
    assert [*packed("x/1.png", "x/2.png").files(0)] == ["x/1.png.jpg", "x/1.png.json"]


def test_several_labels_and_numbers():
    several = packed("1.jpg", "2.jpg", targets=[[1, 1], [0, 0]], task=Task(("a", "b"), multi_label=True))
    assert [json.loads(several.files(i)[f"{i + 1}.json"]) for i in range(2)] == [{"label": ["a", "b"]}, {"label": []}]
    numbers = packed("1.jpg", "2.jpg", targets=[[0.1], [2.0]], task=Task(("age",), regression=True))
    assert json.loads(numbers.files(0)["1.json"]) == {"age": 0.1}
    assert numbers.settings() == {"labels_from": "json", "target": ["age"]}


def test_a_sample_that_cannot_be_read_is_named():
    def fail(index):
        raise BadData("not a picture")

    data = PackedSamples.of(packed("a/1.jpg", "b/2.jpg").samples, fail)
    with pytest.raises(BadSample, match=r"b/2.jpg: not a picture"):
        data.files(1)
