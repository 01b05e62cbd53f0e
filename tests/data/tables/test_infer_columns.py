"""What the columns of a table seem to be, by their names and their cells."""

import csv
from itertools import pairwise

import pytest

from ftaug.data.tables.infer_columns import ROWS, guess_targets, is_measured, label_separator, look
from ftaug.errors import BadData


def table(path, columns, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def test_rows_are_spread_over_a_table_that_is_sorted_by_class(tmp_path):
    rows = [(i, "a" if i < 9 * ROWS else "b") for i in range(10 * ROWS)]
    content = look(table(tmp_path / "t.csv", ("id", "label"), rows))
    assert ROWS <= len(content["id"]) < 2 * ROWS
    assert set(content["label"]) == {"a", "b"}
    numbers = [int(cell) for cell in content["id"]]
    assert len({b - a for a, b in pairwise(numbers)}) == 1 and numbers[-1] > 9.9 * ROWS


def test_a_short_table_is_looked_at_whole(tmp_path):
    assert look(table(tmp_path / "t.csv", ("n",), [(i,) for i in range(7)])) == {"n": list("0123456")}
    (tmp_path / "e.csv").write_text("\na,b\n")
    with pytest.raises(BadData, match=r"e\.csv:1: the first line is empty"):
        look(tmp_path / "e.csv")


def content(**columns):
    return {name: [str(value) for value in values] for name, values in columns.items()}


N = range(30)
AB = ["ab"[i % 2] for i in N]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"label": AB}, ("label", None, None, None, None)),
        ({"Diagnosis": AB, "patient": [i // 3 for i in N]}, ("Diagnosis", None, None, None, "patient")),
        ({"kind": AB, "patientId": [i // 3 for i in N]}, ("kind", None, None, None, "patientId")),
        ({"kind": AB, "image_id": N}, ("kind", None, None, None, None)),
        ({"what": AB, "use": ["train" if i else "test" for i in N]}, ("what", None, None, "use", None)),
        ({"what": AB, "fold": ["train"] * 30}, ("what", None, None, "fold", None)),
        ({"label": ["train", "test"] * 15}, ("label", None, None, None, None)),
        ({"age": [i / 7 for i in N]}, (None, "age", None, None, None)),
        ({"label": [i / 7 for i in N]}, (None, "label", None, None, None)),
        ({"stars": [i % 5 for i in N]}, ("stars", None, None, None, None)),
        ({"tags": [f"{a}|{'cd'[i % 3 > 0]}" for i, a in enumerate(AB)]}, ("tags", None, "|", None, None)),
        ({"a": AB, "b": AB}, (None, None, None, None, None)),
    ],
    ids=str,
)
def test_targets(columns, expected):
    found = guess_targets(content(path=[f"{i}.png" for i in N], **columns), ["path"])
    assert (found.label, found.target, found.separator, found.split, found.group) == expected


def test_labels_are_separated_only_by_what_parts_labels_that_come_again():
    assert label_separator(["a|b", "a", "b", "a|b"]) == "|"
    assert label_separator(["a;b", "b;a", "a"]) == ";"
    assert label_separator([f"text {i}; more {i}" for i in range(9)]) is None
    assert label_separator(["a", "b", "a"]) is None


def test_numbers_are_measured_where_some_are_not_whole():
    assert is_measured(["1.5", "2", "-3e2", ".5"])
    assert not is_measured(["1.0", "2.0"]) and not is_measured(["1.5", "x"]) and not is_measured([])
