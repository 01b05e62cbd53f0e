"""Tables of texts: formats, odd characters, pairs, labels, numbers, empty and wrongly encoded texts."""

import multiprocessing
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from table_files import write_rows

from ftaug.errors import BadData, ExperimentError, MissingInput
from ftaug.text.datasets.in_memory import identity
from ftaug.text.datasets.table import text_table
from ftaug.text.types import Text

ROWS = [
    {"text": "good film", "more": "really", "label": "pos", "score": "1.5", "part": "train", "by": "ann"},
    {"text": "bad film", "more": "no", "label": "neg", "score": "-2", "part": "dev", "by": "bob"},
    {"text": "fine,\n“ok” \t\\ 🙂", "more": "é", "label": "pos", "score": "3e-1", "part": "train", "by": "ann"},
]


def write(folder: Path, name: str, rows=ROWS) -> Path:
    return write_rows(folder / name, rows)


def raw(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


FORMATS = ["t.csv", "t.tsv", "t.jsonl", "t.parquet"]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_reads_the_same(tmp_path, name):
    samples = text_table("train", path=write(tmp_path, name))
    assert samples.task.classes == ("neg", "pos") and not samples.task.multi_label and not samples.task.regression
    assert samples.targets.dtype == np.int64 and samples.targets.tolist() == [1, 0, 1]
    assert [samples.read(i) for i in range(3)] == [Text(row["text"]) for row in ROWS]
    assert samples.groups is None and samples.notes == () and len(samples) == 3
    reference = text_table("train", path=write(tmp_path, "r.jsonl"))
    assert samples.fingerprint == reference.fingerprint


def test_samples_are_called_by_the_line_where_they_begin(tmp_path):
    path = write(tmp_path, "t.csv", [ROWS[2], ROWS[0], ROWS[1]])
    samples = text_table("train", path=path)
    lines = path.read_text().splitlines()
    named = [int(samples.name(i).removeprefix(f"{path}:")) for i in range(3)]
    assert named == [2, 4, 5] and lines[named[1] - 1].startswith("good film")
    assert text_table("train", path=write(tmp_path, "t.parquet")).name(2) == f"{tmp_path / 't.parquet'}:3"


def test_the_fingerprint_follows_content_labels_and_groups(tmp_path):
    prints = {text_table("train", path=write(tmp_path, "a.csv")).fingerprint}
    prints.add(text_table("train", path=write(tmp_path, "a.csv"), group="by").fingerprint)
    prints.add(text_table("train", path=write(tmp_path, "a.csv"), text=("text", "more")).fingerprint)
    prints.add(text_table("train", path=write(tmp_path, "a.csv"), target="score").fingerprint)
    for change in ({"text": "good Film"}, {"label": "neg"}):
        prints.add(text_table("train", path=write(tmp_path, "a.csv", [ROWS[0] | change, *ROWS[1:]])).fingerprint)
    shifted = [{"text": "ab", "more": "c", "label": "x"}, {"text": "d", "more": "e", "label": "y"}]
    prints.add(text_table("train", path=write(tmp_path, "a.csv", shifted), text=("text", "more")).fingerprint)
    shifted[0] |= {"text": "a", "more": "bc"}
    prints.add(text_table("train", path=write(tmp_path, "a.csv", shifted), text=("text", "more")).fingerprint)
    assert len(prints) == 8


@pytest.mark.parametrize("name", FORMATS)
def test_pairs(tmp_path, name):
    samples = text_table("train", path=write(tmp_path, name), text=("text", "more"))
    assert [samples.read(i) for i in range(3)] == [Text(row["text"], row["more"]) for row in ROWS]


@pytest.mark.parametrize("name", FORMATS)
def test_numbers_to_tell(tmp_path, name):
    samples = text_table("train", path=write(tmp_path, name), target="score")
    assert samples.task.classes == ("score",) and samples.task.regression and not samples.task.multi_label
    assert samples.targets.dtype == np.float64 and samples.targets.tolist() == [[1.5], [-2.0], [0.3]]


def test_several_numbers_to_tell(tmp_path):
    rows = [{"text": "a", "x": 1, "y": 2.5}, {"text": "b", "x": -1e-9, "y": 1e30}]
    for name in FORMATS:
        samples = text_table("train", path=write(tmp_path, name, rows), target=("y", "x"))
        assert samples.task.classes == ("y", "x")
        assert samples.targets.tolist() == [[2.5, 1], [1e30, -1e-9]]


@pytest.mark.parametrize("cell", ["nan", "inf", "-Infinity", "1e39", "9" * 400])
def test_numbers_that_are_not_finite_are_refused_with_the_line(tmp_path, cell):
    path = raw(tmp_path, f"text,score\na,1\nb,{cell}\n")
    with pytest.raises(BadData, match=rf"t\.csv:3: column 'score' must contain a (finite )?number; got '{cell}'"):
        text_table("train", path=path, target="score")


@pytest.mark.parametrize("cell", ["", "many", "1_000", "true", "1,5"])
def test_what_is_no_number_is_refused(tmp_path, cell):
    rows = [{"text": "a", "score": 1}, {"text": "b", "score": cell == "true" or cell}]
    shown = f"'{cell}'" if cell else "nothing"
    with pytest.raises(BadData, match=rf"t\.jsonl:2: column 'score' must contain a number; got {shown}"):
        text_table("train", path=write(tmp_path, "t.jsonl", rows), target="score")


@pytest.mark.parametrize("others", [{"label": "label"}, {"classes": ("a",)}, {"labels_separator": "|"}])
def test_label_and_target_exclude_one_another(tmp_path, others):
    with pytest.raises(
        ExperimentError, match=f"text_table: target is for numbers, {next(iter(others))} for classes; leave one out"
    ):
        text_table("train", path=write(tmp_path, "t.csv"), target="score", **others)


def test_groups_and_splits(tmp_path):
    path = write(tmp_path, "t.csv")
    train = text_table("train", path=path, split_column="part", group="by")
    assert [train.read(i).first for i in range(2)] == [ROWS[0]["text"], ROWS[2]["text"]]
    assert train.groups.tolist() == [0, 0] and train.task.classes == ("neg", "pos")
    assert len(text_table("val", path=path, split_column="part")) == 1
    with pytest.raises(BadData, match=r"no rows for 'test'; there are 'train' \(2\), 'val' \(1\)"):
        text_table("test", path=path, split_column="part")


def test_a_split_column_that_is_not_set_is_noted(tmp_path):
    rows = [{"text": f"t{i}", "label": "ab"[i % 2], "Split": "train" if i < 6 else "test"} for i in range(9)]
    for name in ("t.csv", "t.parquet"):
        path = write(tmp_path, name, rows)
        assert text_table("train", path=path).notes == (
            "column 'Split' holds 'train' (6), 'test' (3), and all rows are used; set split_column: Split to use those "
            "of one split",
        )
        assert text_table("train", path=path, split_column="Split").notes == ()
    rows = [{"text": f"t{i}", "label": "ab"[i % 2], "Split": "train"} for i in range(9)]
    assert text_table("train", path=write(tmp_path, "u.csv", rows)).notes == ()


def test_several_labels(tmp_path):
    rows = [{"text": "a", "label": ["x", "y"]}, {"text": "b", "label": []}, {"text": "c", "label": ["y"]}]
    for name in ("t.jsonl", "t.parquet"):
        samples = text_table("train", path=write(tmp_path, name, rows))
        assert samples.task.multi_label and samples.targets.tolist() == [[1, 1], [0, 0], [0, 1]]
        assert samples.notes == ("1 text without a label",)
    separated = raw(tmp_path, "text,label\na,x|y\nb,\nc,y\n")
    assert text_table("train", path=separated, labels_separator="|").targets.tolist() == [[1, 1], [0, 0], [0, 1]]
    marks = raw(tmp_path, "text,x,y\na,1,1\nb,0,0\nc,0,1\n")
    assert text_table("train", path=marks, label=("x", "y")).targets.tolist() == [[1, 1], [0, 0], [0, 1]]


ODD = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40).filter(str.strip)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(ODD, ODD), min_size=2, max_size=6, unique_by=identity))
def test_odd_characters_come_back_from_every_format(tmp_path, pairs):
    rows = [{"text": a, "more": b, "label": "xy"[i % 2]} for i, (a, b) in enumerate(pairs)]
    for name in ("t.csv", "t.tsv", "t.jsonl"):
        samples = text_table("train", path=write(tmp_path, name, rows), text=("text", "more"))
        assert [tuple(samples.read(i)) for i in range(len(samples))] == pairs


def test_control_characters_and_long_texts_are_taken(tmp_path):
    texts = ["a\0b\x01\x1b[31m", "long " * 100_000]
    rows = [{"text": text, "label": label} for text, label in zip(texts, "xy", strict=True)]
    for name in FORMATS:
        samples = text_table("train", path=write(tmp_path, name, rows))
        assert [samples.read(i).first for i in range(2)] == texts


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_texts_that_are_not_utf8_are_all_counted_before_any_training(tmp_path, start):
    lines = [b"caf\xe9 %d,x" % i if i % 2 else b"cafe %d,y" % i for i in range(20)]
    with pytest.raises(BadData) as caught:
        text_table("train", path=raw(tmp_path, start + b"text,label\n" + b"\n".join(lines)))
    *shown, rest = str(caught.value).splitlines()
    path = tmp_path / "t.csv"
    assert shown == [
        f"{path}:{line}: the text is not UTF-8 at its character 4; save the file as UTF-8" for line in (3, 5, 7, 9, 11)
    ]
    assert rest == f"{path}: 5 more problems like these"


def test_wrong_encodings_in_other_formats(tmp_path):
    with pytest.raises(BadData, match=r"t\.csv is UTF-16; save it as UTF-8"):
        text_table("train", path=raw(tmp_path, "text,label\na,b\n".encode("utf-16")))
    half = '{"text": "half \\ud83d", "label": "x"}\n{"text": "whole", "label": "y"}\n'
    with pytest.raises(BadData, match=r"t\.jsonl:1: half of a surrogate pair"):
        text_table("train", path=raw(tmp_path, half, "t.jsonl"))
    import pyarrow
    from pyarrow import parquet

    broken = pyarrow.array([b"good", None, b"caf\xe9"]).view(pyarrow.string())
    parquet.write_table(pyarrow.table({"text": broken, "label": ["x", "y", "x"]}), tmp_path / "t.parquet")
    with pytest.raises(BadData, match=r"t\.parquet:3: the text is not UTF-8 at its character 4"):
        text_table("train", path=tmp_path / "t.parquet")


EMPTY = 'text,label\ngood,x\n" \t\n",y\nbad,y\n,x\n\u3000\u00a0,x\n'


def test_empty_texts_are_an_error_that_names_them(tmp_path):
    with pytest.raises(BadData) as caught:
        text_table("train", path=raw(tmp_path, EMPTY))
    assert str(caught.value) == (
        f"{tmp_path / 't.csv'}: 3 of 5 texts are empty: line 3, line 6, line 7; "
        "fill them in, or leave them out with empty: skip"
    )


def test_empty_texts_can_be_left_out(tmp_path):
    samples = text_table("train", path=raw(tmp_path, EMPTY), empty="skip", group="label")
    assert [samples.read(i).first for i in range(len(samples))] == ["good", "bad"]
    assert samples.targets.tolist() == [0, 1] and samples.groups.tolist() == [0, 1]
    assert [samples.name(i).rpartition(":")[2] for i in range(2)] == ["2", "5"]
    assert samples.notes == ("3 empty texts left out: line 3, line 6, line 7",)
    with pytest.raises(BadData, match="all 2 texts are empty"):
        text_table("train", path=raw(tmp_path, "text,label\n ,x\n ,y\n"), empty="skip")


def test_many_empty_texts_are_named_by_the_first(tmp_path):
    rows = [{"text": None if i else "one", "label": "xy"[i % 2]} for i in range(9)]
    with pytest.raises(BadData, match=r"8 of 9 texts are empty: line 2, line 3, line 4, line 5, line 6 and 3 more;"):
        text_table("train", path=write(tmp_path, "t.jsonl", rows))


def test_a_pair_with_an_empty_text_is_empty(tmp_path):
    rows = [ROWS[0], ROWS[1] | {"more": " "}, ROWS[2]]
    with pytest.raises(BadData, match="1 of 3 texts is empty: line 3;"):
        text_table("train", path=write(tmp_path, "t.csv", rows), text=("text", "more"))


def test_other_bad_tables(tmp_path):
    with pytest.raises(BadData, match=r"text_table reads \.csv, \.tsv, \.jsonl and \.parquet, not '\.xlsx'"):
        text_table("train", path=raw(tmp_path, "", "t.xlsx"))
    with pytest.raises(BadData, match=r"no column 'text'; the columns are 'texts', 'label'; did you mean 'texts'"):
        text_table("train", path=raw(tmp_path, "texts,label\na,b\n"))
    with pytest.raises(MissingInput, match=r"did you mean 't\.csv'"):
        text_table("train", path=tmp_path / "tt.csv")
    with pytest.raises(BadData, match=r"t\.tsv:2: the row cannot be read: .*; inside a quoted cell, quotation"):
        text_table("train", path=raw(tmp_path, 'text\tlabel\n"Great" film\tx\n', "t.tsv"))
    nested = [{"text": {"a": 1}, "label": "x"}, {"text": ["b"], "label": "y"}]
    with pytest.raises(BadData, match=r"t\.jsonl:1: column 'text' must contain strings; got dict\n.*:2: .*got list"):
        text_table("train", path=write(tmp_path, "t.jsonl", nested))


def read_all(samples):
    return [samples.read(i) for i in range(len(samples))]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_read_the_same(tmp_path, method):
    samples = text_table("train", path=write(tmp_path, "t.csv"), text=("text", "more"))
    assert read_all(pickle.loads(pickle.dumps(samples))) == read_all(samples)
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.map(samples.read, range(len(samples))) == read_all(samples)
