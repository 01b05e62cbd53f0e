"""Columns that a dataset does not use are there for every sample, in all formats."""

import json

import pytest
from table_files import write_rows

from ftaug.image.datasets.table import image_table
from ftaug.text.datasets.table import text_table

ROWS = [
    {"text": f"text {i}", "label": "ab"[i % 2], "camera": f"c{i}", "age": i, "part": part}
    for i, part in enumerate(["train", "val", "train", "train", "val", "train"])
]
TRAIN = [row for row in ROWS if row["part"] == "train"]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_values_are_those_of_the_rows_of_the_split(tmp_path, suffix):
    path = write_rows(tmp_path / f"t.{suffix}", ROWS)
    samples = text_table("train", path=path, split_column="part", group="camera")
    assert samples.columns() == {
        "camera": [row["camera"] for row in TRAIN],
        "age": [str(row["age"]) for row in TRAIN],
    }


def test_rows_of_one_sample_have_the_values_of_the_first(tmp_path):
    rows = [{"text": text, "label": label, "age": i} for i, (text, label) in enumerate(["xa", "ya", "xb", "zb"])]
    samples = text_table("train", path=write_rows(tmp_path / "t.csv", rows), labels_separator="|")
    assert samples.columns() == {"age": ["0", "1", "3"]}


def test_empty_texts_are_left_out(tmp_path):
    rows = [{"text": text, "label": label, "age": i} for i, (text, label) in enumerate(["xa", " a", "yb", "zb"])]
    samples = text_table("train", path=write_rows(tmp_path / "t.csv", rows), empty="skip")
    assert samples.columns() == {"age": ["0", "2", "3"]}


def test_lists_long_texts_and_repeated_names_are_left_out(tmp_path):
    path = tmp_path / "t.jsonl"
    rows = [
        {"text": f"t{i}", "label": "ab"[i % 2], "story": "x" * 60 * i, "tags": ["x"], "site": "s"} for i in range(3)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows, {"text": "t", "label": "a"}]))
    assert text_table("train", path=path).columns() == {"site": ["s", "s", "s", ""]}
    path = tmp_path / "t.csv"
    path.write_text("text,label,x,x,y\nt,a,1,2,3\nu,b,4,5,6\n")
    assert text_table("train", path=path).columns() == {"y": ["3", "6"]}


def test_pictures_have_them_too(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.png").write_bytes(b"a picture")
    path = tmp_path / "t.csv"
    path.write_text("path,label,light\na.png,x,dark\nb.png,y,bright\n")
    assert image_table("train", path=path).columns() == {"light": ["dark", "bright"]}
