"""Rows of tables in every format: equal for equal content, and nothing is dropped without an error."""

import json

import pytest

from ftaug.data.tables.rows import rows
from ftaug.errors import BadData

CELLS = [("x", "a\u2028b\x0b\x0c\x85c"), ("y", "plain")]


def write(folder, name):
    path = folder / name
    if name.endswith(".parquet"):
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist([{"label": a, "text": b} for a, b in CELLS]), path)
    elif name.endswith("jsonl"):
        text = "\r".join(json.dumps({"label": a, "text": b}, ensure_ascii=False) for a, b in CELLS)
        path.write_bytes(text.encode())
    else:
        mark = "\t" if name.endswith(".tsv") else ","
        path.write_bytes("\r".join(mark.join(row) for row in [("label", "text"), *CELLS]).encode())
    return path


@pytest.mark.parametrize(("name", "first"), [("t.csv", 2), ("t.tsv", 2), ("t.jsonl", 1), ("t.parquet", 1)])
def test_no_other_character_ends_a_row(tmp_path, name, first):
    found = list(rows("test", write(tmp_path, name), ["label", "text"]))
    assert [(line, tuple(row)) for line, row in found] == [(first + i, row) for i, row in enumerate(CELLS)]


@pytest.mark.parametrize("line", ['{"text": "a", "text": "b"}', '{"n": {"a": 1, "a": 1}, "text": "b"}'])
def test_a_key_twice_in_json_is_an_error_with_the_line(tmp_path, line):
    (tmp_path / "t.jsonl").write_text(f'{{"text": "x"}}\n\n{line}\n')
    with pytest.raises(BadData, match=r"t\.jsonl:3: duplicate key '(text|a)'"):
        list(rows("test", tmp_path / "t.jsonl", ["text"]))


def test_a_missing_column_names_the_separator_where_it_is_in_doubt(tmp_path):
    (tmp_path / "t.csv").write_text("label;text, or so\nx;y\n")
    with pytest.raises(BadData) as caught:
        list(rows("test", tmp_path / "t.csv", ["label"]))
    assert str(caught.value).endswith(
        "no column 'label'; the columns are 'label;text', ' or so'; "
        "they are separated by a comma, but their names hold a semicolon"
    )


@pytest.mark.parametrize("escape", [r"\ud83d", r"\uDE00", r"a\ud83d\u0041"])
def test_half_of_a_surrogate_pair_in_json_is_an_error_with_the_line(tmp_path, escape):
    (tmp_path / "t.jsonl").write_text(f'{{"text": "\\ud83d\\ude00"}}\n{{"text": "{escape}"}}\n')
    with pytest.raises(BadData, match=r"t\.jsonl:2: half of a surrogate pair"):
        list(rows("test", tmp_path / "t.jsonl", ["text"]))


def test_a_surrogate_pair_in_json_is_one_character_and_a_byte_stays_a_byte(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"text": "\\ud83d\\ude00"}\n{"text": "\\udcff.png"}\n')
    assert [row[0] for _, row in rows("test", tmp_path / "t.jsonl", ["text"])] == ["\U0001f600", "\udcff.png"]


@pytest.mark.parametrize("place", [0.3, 0.9])
def test_a_damaged_parquet_file_is_an_error(tmp_path, place):
    pytest.importorskip("pyarrow")
    path = write(tmp_path, "t.parquet")
    content = bytearray(path.read_bytes())
    start = int(len(content) * place)
    content[start : start + 20] = b"\xff" * 20
    path.write_bytes(content)
    with pytest.raises(BadData, match=r"t\.parquet is not a Parquet file, or is damaged: "):
        list(rows("test", path, ["label", "text"]))


def test_a_parquet_file_whose_column_names_are_no_text_is_an_error(tmp_path):
    pytest.importorskip("pyarrow")
    path = write(tmp_path, "t.parquet")
    path.write_bytes(path.read_bytes().replace(b"label", b"lab\xf8l"))
    with pytest.raises(BadData, match=r"t\.parquet is not a Parquet file, or is damaged: 'utf-8' codec"):
        list(rows("test", path, ["label", "text"]))
