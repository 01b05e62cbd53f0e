"""Settings that the table datasets of all modalities share."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import ValidationError

from ftaug.config.shapes import function_shape, read_tree
from ftaug.data.tables.settings import ClassOrder, SplitColumn, TablePath
from ftaug.image.datasets.table import image_table
from ftaug.text.datasets.table import text_table


@dataclass(frozen=True)
class Table:
    path: TablePath
    classes: ClassOrder = None
    split_column: SplitColumn = None


def read(**tree):
    return read_tree(Table, tree, {"folder": "/base"})


def test_values():
    table = read(path="data/../t.csv", classes=["b", "a"], split_column="part")
    assert table == Table(Path("/base/t.csv"), ("b", "a"), "part")
    assert read(path="t.csv") == Table(Path("/base/t.csv"))


@pytest.mark.parametrize(
    "tree", [{}, {"path": 3}, {"path": "t.csv", "classes": [1]}, {"path": "t.csv", "split_column": ""}]
)
def test_other_values_are_refused(tree):
    with pytest.raises(ValidationError):
        read(**tree)


def test_a_setting_has_one_explanation_in_all_modalities():
    shapes = [function_shape(dataset) for dataset in (image_table, text_table)]
    for name in ("path", "classes", "split_column"):
        first, second = (shape.explanations[name] for shape in shapes)
        assert first == second != ""
