from types import SimpleNamespace

import numpy as np
import pytest

from ftaug.engine.loading.split import DataSplit
from ftaug.errors import ExperimentError
from ftaug.interfaces.data import Task
from ftaug.runs.sample_columns import choose_columns, column_names, columns_with_facts, table_columns


class Photos:
    """Gray pictures with a table of their cameras."""

    def __init__(self, **columns):
        self.values = columns

    def read(self, index):
        return np.full((4, 8, 3), 10 * index, np.uint8)

    def name(self, index):
        return f"{index}.png"

    def columns(self):
        return self.values


OPENED = SimpleNamespace(experiment=SimpleNamespace(modality="image"), workers=0)


def split(samples):
    return DataSplit("val", samples, np.array([3, 1]), np.zeros(2, int), Task(("a", "b")))


CAMERA = ["w", "x", "y", "z"]


def test_columns_are_those_of_the_samples_of_the_split():
    assert table_columns(split(Photos(camera=CAMERA))) == {"camera": ["z", "x"]}
    assert table_columns(split(SimpleNamespace())) == {}


def test_facts_are_computed_only_if_they_are_asked_for():
    data = split(Photos(camera=CAMERA))
    assert set(columns_with_facts(OPENED, data, ["camera"])) == {"camera"}
    assert set(columns_with_facts(OPENED, data, [])) == {"camera"}
    columns = columns_with_facts(OPENED, data, ["all"])
    assert list(columns) == ["brightness", "contrast", "sharpness", "size", "aspect", "camera"]
    assert columns["brightness"] == pytest.approx([30 / 255, 10 / 255]) and columns["aspect"] == [2.0, 2.0]
    assert choose_columns(columns, ["all"]) == columns
    assert choose_columns(columns, ["size", "camera"]) == {"size": [4.0, 4.0], "camera": ["z", "x"]}


def test_a_column_of_the_table_hides_a_fact():
    columns = columns_with_facts(OPENED, split(Photos(size=["S", "M", "L", "XL"])), ["size", "aspect"])
    assert columns["size"] == ["XL", "M"]


def test_a_column_that_is_not_there_is_an_error():
    with pytest.raises(ExperimentError, match="--slices camra: there is no such column; did you mean 'camera'"):
        column_names(OPENED, split(Photos(camera=CAMERA)), ["camra"])


def test_names_are_those_that_the_slices_stand_for():
    data = split(Photos(camera=CAMERA))
    assert column_names(OPENED, data, []) == []
    assert column_names(OPENED, data, ["size", "camera"]) == ["size", "camera"]
    assert set(column_names(OPENED, data, ["all"])) == set(columns_with_facts(OPENED, data, ["all"]))
