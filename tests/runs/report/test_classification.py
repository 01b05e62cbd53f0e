from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import binomtest

from ftaug.engine.loading.split import DataSplit
from ftaug.engine.training.evaluate import Measurement
from ftaug.interfaces.data import Task
from ftaug.runs.report import classification, console, evaluation


def test_several_labels_have_counts_per_class():
    task = Task(("a", "b", "c"), multi_label=True)
    targets = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0]], np.uint8)
    chances = np.array([[0.9, 0.2, 0.1], [0.6, 0.7, 0.1], [0.1, 0.2, 0.3]], np.float32)
    measured = Measurement(np.zeros_like(chances), chances, targets, {})
    assert [(row["samples"], row["predicted"], row["right"]) for row in classification.per_class(measured, task)] == [
        (1, 2, 1),
        (2, 1, 1),
        (0, 0, 0),
    ]
    assert "top_3" not in evaluation.standard_metrics(task)


def test_confusions_are_the_most_frequent_mistakes():
    matrix = np.array([[9, 0, 4], [1, 9, 0], [0, 7, 0]])
    confusions = list(classification.confusions(matrix, Task(("a", "b", "c"))))
    assert confusions == [("c", "b", 7), ("a", "c", 4), ("b", "a", 1)]


def test_the_table_of_classes_shows_intervals_within_80_columns():
    task = Task(("a class with a name of 32 letters", "b"))
    targets = np.repeat([0, 1], 30)
    probabilities = np.tile([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], (20, 1)).astype(np.float32)
    split = DataSplit("val", SimpleNamespace(groups=None), np.arange(60), targets, task)
    classes = classification.report(Measurement(probabilities, probabilities, targets, {}), split)["classes"]
    low, high = binomtest(20, 30).proportion_ci(0.95, "wilson")
    recall = classes[0]["intervals"]["recall"]
    assert (recall["low"], recall["high"], recall["method"]) == (pytest.approx(low), pytest.approx(high), "wilson")
    assert set(classes[0]["intervals"]) == {"precision", "recall", "f1", "auroc", "average_precision"}
    with (shown := console.PlainConsole(width=80)).capture() as capture:
        shown.print(classification.class_table(classes))
    assert f"0.667 {low:.2f}–{high:.2f}" in capture.get() and "…" not in capture.get()
