import numpy as np

from ftaug.engine.loading.split import DataSplit
from ftaug.engine.training.evaluate import Measurement
from ftaug.interfaces.data import Task
from ftaug.runs.report import classification


class Named:
    def name(self, index):
        return f"sample {index}"


def test_several_labels_have_counts_per_class_and_names_with_bars():
    task = Task(("a", "b", "c"), multi_label=True)
    targets = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0]], np.uint8)
    chances = np.array([[0.9, 0.2, 0.1], [0.6, 0.7, 0.1], [0.1, 0.2, 0.3]], np.float32)
    measured = Measurement(np.zeros_like(chances), chances, targets, {})
    assert [(row["samples"], row["predicted"], row["right"]) for row in classification.per_class(measured, task)] == [
        (1, 2, 1),
        (2, 1, 1),
        (0, 0, 0),
    ]
    table = list(classification.predictions_table(DataSplit("val", Named(), np.arange(3), targets, task), measured))
    assert table[0] == ["sample", "target", "prediction", "a", "b", "c"]
    assert [row[:3] for row in table[1:]] == [
        ["sample 0", "a|b", "a"],
        ["sample 1", "b", "a|b"],
        ["sample 2", "", ""],
    ]


def test_confusions_are_the_most_frequent_mistakes():
    matrix = np.array([[9, 0, 4], [1, 9, 0], [0, 7, 0]])
    confusions = list(classification.confusions(matrix, Task(("a", "b", "c"))))
    assert confusions == [("c", "b", 7), ("a", "c", 4), ("b", "a", 1)]
