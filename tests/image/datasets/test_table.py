"""Tables of pictures: the formats, labels, groups and splits, and what is refused with its line."""

import csv
import json
import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from ftaug.errors import BadData, ExperimentError, MissingInput, Unavailable
from ftaug.image.datasets.table import image_table

ROWS = [
    {"path": "a/1.jpg", "label": "cat", "owner": "x", "part": "train"},
    {"path": "a/2.jpg", "label": "dog", "owner": "y", "part": "train"},
    {"path": "b/3.jpg", "label": "ant", "owner": "x", "part": "Validation"},
    {"path": "b/4.jpg", "label": "cat", "owner": "z", "part": "test"},
]


@pytest.fixture
def photos(tmp_path):
    for row in ROWS:
        path = tmp_path / row["path"]
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(row["path"].encode())
    return tmp_path


def write(folder: Path, name: str, rows=ROWS, newline: str = "\n", start: str = "") -> Path:
    path = folder / name
    if name.endswith(".parquet"):
        from pyarrow import Table, parquet

        parquet.write_table(Table.from_pylist(rows), path)
    elif name.endswith(".jsonl"):
        path.write_text(start + newline.join(json.dumps(row) for row in rows) + newline)
    else:
        with path.open("w", newline="", encoding="utf-8") as file:
            file.write(start)
            table = csv.DictWriter(
                file, list(rows[0]), delimiter="\t" if name.endswith(".tsv") else ",", lineterminator=newline
            )
            table.writeheader()
            table.writerows(rows)
    return path


def text(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "T.CSV", "t.jsonl", "t.parquet"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_every_format_reads_the_same(photos, name, newline, start):
    samples = image_table("train", path=write(photos, name, newline=newline, start=start))
    assert samples.task.classes == ("ant", "cat", "dog") and not samples.task.multi_label
    assert samples.targets.dtype == np.int64 and samples.targets.tolist() == [1, 2, 0, 1]
    assert [samples.read(i).decode() for i in range(4)] == [row["path"] for row in ROWS]
    assert samples.name(2) == str(photos / "b" / "3.jpg")
    assert samples.groups is None and samples.notes == ()


def test_formats_have_one_fingerprint_and_it_follows_labels_and_sizes(photos):
    prints = {image_table("train", path=write(photos, f"t.{it}")).fingerprint for it in ("csv", "jsonl", "parquet")}
    assert len(prints) == 1
    prints.add(image_table("train", path=write(photos, "g.csv"), group="owner").fingerprint)
    relabeled = [*ROWS[:3], {**ROWS[3], "label": "dog"}]
    prints.add(image_table("train", path=write(photos, "r.csv", relabeled)).fingerprint)
    (photos / "a" / "1.jpg").write_bytes(b"another size")
    prints.add(image_table("train", path=write(photos, "t.csv")).fingerprint)
    assert len(prints) == 4


def test_quotes_commas_newlines_and_blank_lines(photos):
    (photos / 'odd, "name"\n.jpg').write_bytes(b"odd")
    table = text(photos, '"path","label"\n"odd, ""name""\n.jpg","say ""cat"", twice"\n\na/1.jpg,dog\n')
    samples = image_table("train", path=table)
    assert samples.read(0) == b"odd" and samples.task.classes == ("dog", 'say "cat", twice')


def test_file_names_that_are_not_utf8(photos):
    name = b"caf\xe9.jpg"
    Path(os.fsdecode(os.fsencode(photos) + b"/" + name)).write_bytes(b"bytes")
    samples = image_table("train", path=text(photos, b"path,label\n" + name + b",cat\na/1.jpg,dog\n"))
    assert samples.read(0) == b"bytes"
    with pytest.raises(BadData, match=r"t\.csv:2: the label .* is not UTF-8"):
        image_table("train", path=text(photos, b"path,label\na/1.jpg,caf\xe9\n"))


def test_labels_that_look_like_numbers_stay_texts(photos):
    table = text(photos, "path,label\na/1.jpg,007\na/2.jpg,7\nb/3.jpg,10\n")
    assert image_table("train", path=table).task.classes == ("007", "7", "10")
    numbers = [{"path": row["path"], "label": label} for row, label in zip(ROWS, [10, 9, True, 9], strict=True)]
    assert image_table("train", path=write(photos, "n.jsonl", numbers)).task.classes == ("10", "9", "true")


def test_other_columns_and_another_root(photos):
    (photos / "lists").mkdir()
    table = text(photos / "lists", "label,file\ncat,a/1.jpg\ndog,a/2.jpg\n")
    samples = image_table("train", path=table, image="file", root=photos)
    assert samples.read(1) == b"a/2.jpg" and samples.targets.tolist() == [0, 1]


def test_absolute_paths_below_the_root_count_from_there(photos, tmp_path_factory):
    link = tmp_path_factory.mktemp("links") / "photos"
    link.symlink_to(photos)
    table = text(photos, f"path,label\n{photos}/a/1.jpg,cat\n{link}/a/2.jpg,dog\n")
    samples = image_table("train", path=table)
    assert samples.name(0) == str(photos / "a" / "1.jpg") and samples.read(1) == b"a/2.jpg"
    relative = image_table("train", path=text(photos, "path,label\na/1.jpg,cat\na/2.jpg,dog\n", "r.csv"))
    assert samples.fingerprint == relative.fingerprint
    with pytest.raises(BadData, match=r"the picture's path '/\S+/a/1.jpg' leads out of the folder; set root"):
        image_table("train", path=table, root=photos / "b")


def test_given_classes_keep_their_order(photos):
    table = write(photos, "t.csv")
    samples = image_table("train", path=table, classes=("dog", "emu", "cat", "ant"))
    assert samples.task.classes == ("dog", "emu", "cat", "ant") and samples.targets.tolist() == [2, 0, 3, 2]
    assert samples.notes == ("no picture of 'emu'",)


@pytest.mark.parametrize("split, targets", [("train", [1, 2]), ("val", [0]), ("test", [1])])
def test_a_split_column_filters_rows_but_not_classes(photos, split, targets):
    samples = image_table(split, path=write(photos, "t.csv"), split_column="part")
    assert samples.targets.tolist() == targets and samples.task.classes == ("ant", "cat", "dog")


def test_a_split_without_rows_is_told_with_those_there_are(photos):
    with pytest.raises(BadData, match=r"no rows for 'test'; there are 'train' \(2\), 'val' \(1\)"):
        image_table("test", path=write(photos, "t.csv", ROWS[:3]), split_column="part")


def test_groups_are_numbers_of_the_values(photos):
    samples = image_table("train", path=write(photos, "t.csv"), group="owner", split_column="part")
    assert samples.groups.dtype == np.int64 and samples.groups.tolist() == [0, 1]
    assert image_table("train", path=write(photos, "t.csv"), group="owner").groups.tolist() == [0, 1, 0, 2]


MULTI = [[0, 1, 0], [1, 1, 0], [0, 0, 0], [0, 0, 1]]  # of the classes ant, cat, dog


def check_multi(samples):
    assert samples.task.multi_label and samples.task.classes == ("ant", "cat", "dog")
    assert samples.targets.dtype == np.uint8 and samples.targets.tolist() == MULTI
    assert samples.notes == ("1 picture without a label",)


def test_several_labels_in_a_cell(photos):
    table = text(photos, "path,label\na/1.jpg,cat\na/2.jpg, cat | ant |\nb/3.jpg,\nb/4.jpg,dog|dog\n")
    check_multi(image_table("train", path=table, labels_separator="|"))


@pytest.mark.parametrize("name", ["m.jsonl", "m.parquet"])
def test_lists_of_labels(photos, name):
    lists = [["cat"], ["cat", "ant"], [], ["dog"]]
    rows = [{"path": row["path"], "label": labels} for row, labels in zip(ROWS, lists, strict=True)]
    check_multi(image_table("train", path=write(photos, name, rows)))


def test_one_column_for_each_class(photos):
    content = "path,ant,cat,dog\na/1.jpg,0,1,0\na/2.jpg,true,1.0,\nb/3.jpg,0,0,0\nb/4.jpg,0,False,1\n"
    check_multi(image_table("train", path=text(photos, content), label=("ant", "cat", "dog")))
    with pytest.raises(BadData, match=r"t\.csv:2: column 'cat' must contain 0 or 1; got '2'"):
        image_table("train", path=text(photos, "path,cat\na/1.jpg,2\n"), label=("cat",))


@pytest.mark.parametrize("setting", [{"classes": ("cat",)}, {"labels_separator": "|"}])
def test_settings_that_columns_of_labels_leave_without_effect_are_refused(photos, setting):
    with pytest.raises(ExperimentError, match="leave out classes and labels_separator"):
        image_table("train", path=write(photos, "t.csv"), label=("cat",), **setting)


REFUSED = {
    "missing column": (
        "path,lable\na/1.jpg,cat\n",
        r"t\.csv:1: no column 'label'; the columns are 'path', 'lable'; did",
    ),
    "empty file": ("", r"t\.csv:1: no column 'path'; the columns are none"),
    "twice": ("path,label,label\na/1.jpg,cat,dog\n", r"t\.csv:1: there are 2 columns 'label'"),
    "no rows": ("path,label\n", "no rows for 'train'"),
    "empty label": ("path,label\na/1.jpg,cat\na/2.jpg,\n", r"t\.csv:3: the label is empty"),
    "empty path": ("path,label\n,cat\n", r"t\.csv:2: the picture's path is empty"),
    "short row": ("path,label\na/1.jpg,cat\na/2.jpg\n", r"t\.csv:3: the row has 1 of 2 columns"),
    "open quote": ('path,label\na/1.jpg,cat\n"a/2.jpg,dog\n', r"t\.csv:3: the row cannot be read"),
    "up and out": ("path,label\na/../../x.jpg,cat\n", r"t\.csv:2: the picture's path 'a/../../x.jpg' leads out"),
    "absolute": ("path,label\n/etc/passwd,cat\n", r"t\.csv:2: the picture's path '/etc/passwd' leads out"),
    "folder": ("path,label\na,cat\n", r"t\.csv:2: a is not a file"),
}


@pytest.mark.parametrize("content, message", REFUSED.values(), ids=REFUSED.keys())
def test_bad_tables_are_refused_with_the_line(photos, content, message):
    with pytest.raises(BadData, match=message):
        image_table("train", path=text(photos, content))


def test_an_unknown_class_is_told_with_its_line_and_the_near_one(photos):
    with pytest.raises(BadData, match=r"t\.csv:4: 'ant' is not one of the classes; did you mean 'cat'"):
        image_table("train", path=write(photos, "t.csv"), classes=("cat", "dog"))


def test_the_line_is_right_after_a_cell_of_several_lines(photos):
    table = text(photos, 'path,note,label\na/1.jpg,"two\nlines",cat\na/2.jpg,,\n')
    with pytest.raises(BadData, match=r"t\.csv:4: the label is empty"):
        image_table("train", path=table)


def test_missing_pictures_are_told_five_at_a_time(photos):
    lines = [f"gone{i}.jpg,{'cat' if i % 2 else 'dog'}" for i in range(9)]
    with pytest.raises(MissingInput) as caught:
        image_table("train", path=text(photos, "\n".join(["path,label", "a/1.jpg,cat", *lines])))
    assert [problem.place.line for problem in caught.value.problems] == [3, 4, 5, 6, 7]
    assert "no picture gone0.jpg in" in caught.value.problems[0].message


def test_pictures_of_other_splits_need_not_be_there(photos):
    rows = [*ROWS, {**ROWS[0], "path": "gone.jpg", "part": "test"}]
    assert len(image_table("train", path=write(photos, "t.csv", rows), split_column="part")) == 2


def test_a_pipe_is_not_opened(photos):
    os.mkfifo(photos / "p.jpg")
    with pytest.raises(BadData, match=r"t\.csv:2: p\.jpg is not a file"):
        image_table("train", path=text(photos, "path,label\np.jpg,cat\n"))


def test_bad_json_lines_and_parquet(photos):
    with pytest.raises(BadData, match=r"t\.jsonl:2: the line is not JSON"):
        image_table("train", path=text(photos, '{"path": "a/1.jpg", "label": "cat"}\n{oops\n', "t.jsonl"))
    with pytest.raises(BadData, match=r"t\.jsonl:1: the line must be a JSON object"):
        image_table("train", path=text(photos, "[1]\n", "t.jsonl"))
    with pytest.raises(BadData, match=r"t\.jsonl:2: no column 'label'"):
        image_table("train", path=text(photos, '{"path": "a/1.jpg", "label": "c"}\n{"path": "a/2.jpg"}\n', "t.jsonl"))
    with pytest.raises(BadData, match="is not a Parquet file"):
        image_table("train", path=text(photos, "not parquet", "t.parquet"))
    with pytest.raises(BadData, match=r"no column 'image'; the columns are 'path', 'label', 'owner', 'part'"):
        image_table("train", path=write(photos, "t.parquet"), image="image")


def test_parquet_without_its_package_says_what_to_install(photos, monkeypatch):
    table = write(photos, "t.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(Unavailable, match=r"pip install 'ftaug\[parquet\]'"):
        image_table("train", path=table)


def test_missing_table_and_unknown_kind(photos):
    write(photos, "labels.csv")
    with pytest.raises(MissingInput, match=r"no file .*/label\.csv; did you mean 'labels\.csv'\?"):
        image_table("train", path=photos / "label.csv")
    with pytest.raises(BadData, match=r"reads \.csv, \.tsv, \.jsonl and \.parquet, not '\.xlsx'"):
        image_table("train", path=text(photos, "", "t.xlsx"))


def test_samples_pickle(photos):
    samples = image_table("train", path=write(photos, "t.csv"), group="owner")
    again = pickle.loads(pickle.dumps(samples))
    assert again.read(3) == b"b/4.jpg" and again.task == samples.task and np.array_equal(again.groups, samples.groups)
