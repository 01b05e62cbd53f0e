"""Predictions of several labels: the set that evaluate decides for, and the probabilities beside it."""

import numpy as np
import pytest

from ftaug.interfaces.data import Task
from ftaug.runs.prediction import Prediction
from ftaug.runs.report.predictions import form

CHANCES = Prediction("x.png", np.array([0.4, 0.9, 0.5, 0.1], np.float32))
CLASSES = ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("thresholds", "labels"), [(None, ["b"]), ((0.3, 0.95, 0.2, 0.2), ["a", "c"]), ((0.99, 0.99, 0.99, 0.99), [])]
)
def test_the_labels_are_those_above_their_thresholds(thresholds, labels):
    told = form(Task(CLASSES, multi_label=True, thresholds=thresholds), None)
    assert told.plain(CHANCES)["labels"] == labels
    assert told.headings == ("labels", *CLASSES)
    assert told.cells(CHANCES) == ["|".join(labels), *(pytest.approx(p) for p in (0.4, 0.9, 0.5, 0.1))]


def test_all_probabilities_are_beside_them_the_likeliest_first():
    found = form(Task(CLASSES, multi_label=True), None).plain(CHANCES)["predictions"]
    assert [(one["class"], pytest.approx(one["probability"])) for one in found] == [
        ("b", 0.9),
        ("c", 0.5),
        ("a", 0.4),
        ("d", 0.1),
    ]


def test_only_the_likeliest_are_beside_them_where_so_many_are_asked_for():
    told = form(Task(CLASSES, multi_label=True), 2)
    assert told.headings == ("labels", "class_1", "probability_1", "class_2", "probability_2")
    assert told.cells(CHANCES)[:2] == ["b", "b"] and len(told.cells(CHANCES)) == len(told.headings)
    assert len(told.plain(CHANCES)["predictions"]) == 2


def test_one_class_a_sample_is_as_before():
    told = form(Task(CLASSES), None)
    assert told.headings == ("class", "probability")
    assert told.plain(CHANCES) == {"predictions": [{"class": "b", "probability": pytest.approx(0.9)}]}
