"""What every reader of a user's data holds to: when names are equal, and that a split never parts one sample's rows.

A new dataset that reads a user's table (it has the setting `labels_separator`) or class folders (`outside_links`) is
listed here.
"""

import inspect
from pathlib import Path

import numpy as np
import pytest
from table_files import write_rows

from ftaug.config.registry import REGISTRIES
from ftaug.engine.loading import stratify
from ftaug.engine.loading.sample_keys import identities, sample_keys
from ftaug.errors import BadData, ExperimentError
from ftaug.experiment_file import MODALITIES, import_components

for modality in MODALITIES:
    import_components(modality)

TABLES = {"image_table": "path", "text_table": "text", "audio_table": "path"}
"""Readers of tables, with the column of the sample."""
NOUNS = {"image_table": "picture", "text_table": "text", "audio_table": "sound"}
FOLDERS = {"image_folder": "jpg", "text_folder": "txt", "audio_folder": "wav"}
"""Readers of class folders, with the suffix of their files."""

READERS = {
    name: registry[name].function
    for (kind, _), registry in REGISTRIES.items()
    if kind == "dataset"
    for name in registry
}
TYPED, UNTYPED = ("t.jsonl", "t.parquet"), ("t.csv", "t.tsv")

tables = pytest.mark.parametrize("reader", TABLES)
folders = pytest.mark.parametrize("reader", FOLDERS)
every_format = pytest.mark.parametrize("name", [*UNTYPED, *TYPED])
typed_format = pytest.mark.parametrize("name", TYPED)


def test_every_reader_is_held_to_these_rules():
    settings = {name: inspect.signature(function).parameters for name, function in READERS.items()}
    tables_read = {name for name in settings if "labels_separator" in settings[name]}
    assert tables_read == {*TABLES}, "add the dataset to TABLES"
    assert {name for name in settings if "outside_links" in settings[name]} == {*FOLDERS}, "add it to FOLDERS"


def words(samples):
    return identities(sample_keys(samples), samples.groups)


def write(folder: Path, reader: str, name: str, rows: list[dict], samples=None) -> Path:
    """A table with these rows, one sample each unless they are given; pictures are written too."""
    column, path = TABLES[reader], folder / name
    samples = samples or [f"sample {place}.png" for place in range(len(rows))]
    for sample in samples:
        (folder / sample).write_bytes(sample.encode())
    rows = [{column: sample, **row} for sample, row in zip(samples, rows, strict=True)]
    return write_rows(path, rows)


def read(folder, reader, name, labels=None, samples=None, split="train", columns=(), **settings):
    labels = labels if labels is not None else ["x", "y"] * (len(samples or columns[0][1]) // 2)
    rows = [{"label": label} for label in labels]
    for column, values in columns:
        rows = [row | {column: value} for row, value in zip(rows, values, strict=True)]
    return READERS[reader](split, path=write(folder, reader, name, rows, samples), **settings)


SAME = ["cat", "cat ", "\u00a0cat", "cat\u3000", "\ufeffcat", "caf\u00e9", "cafe\u0301", " cafe\u0301"]


@tables
@every_format
def test_labels_that_differ_in_blanks_or_unicode_form_are_one_class(tmp_path, reader, name):
    samples = read(tmp_path, reader, name, SAME)
    assert samples.task.classes == ("caf\u00e9", "cat")
    assert samples.targets.tolist() == [1, 1, 1, 1, 1, 0, 0, 0]
    assert read(tmp_path, reader, name, SAME, classes=("cat", "caf\u00e9 ")).targets.tolist() == [0] * 5 + [1] * 3


@tables
@every_format
def test_several_labels_in_a_cell_are_the_same_names(tmp_path, reader, name):
    samples = read(
        tmp_path, reader, name, ["cat|cafe\u0301 ", "caf\u00e9\u00a0|dog", "dog\u3000| cat"], labels_separator="|"
    )
    assert samples.task.classes == ("caf\u00e9", "cat", "dog")
    assert samples.targets.sum(axis=0).tolist() == [2, 2, 2]


@tables
@typed_format
def test_lists_of_labels_are_the_same_names(tmp_path, reader, name):
    samples = read(tmp_path, reader, name, [["cat", "dog "], ["cat\u00a0"], ["dog", "dog"]])
    assert samples.task.classes == ("cat", "dog") and samples.targets.tolist() == [[1, 1], [1, 0], [0, 1]]


@tables
def test_numbers_and_truths_of_json_are_one_name(tmp_path, reader):
    assert read(tmp_path, reader, "t.jsonl", [1, 1.0, "1", 2, 2.0]).task.classes == ("1", "2")
    assert read(tmp_path, reader, "t.jsonl", [True, "true", False]).task.classes == ("false", "true")
    assert read(tmp_path, reader, "t.jsonl", [0.5, 1.5, 10.5, -0.0, 2]).task.classes == ("0", "0.5", "1.5", "2", "10.5")


@tables
def test_integers_that_parquet_holds_as_floats_keep_their_names(tmp_path, reader):
    pandas_like = [{"label": 3.0, "by": 7.0}, {"label": 12.0, "by": None}, {"label": 3.0, "by": 7.0}]
    samples = READERS[reader]("train", path=write(tmp_path, reader, "t.parquet", pandas_like), group="by")
    assert samples.task.classes == ("3", "12") and samples.groups.tolist() == [0, 1, 0]
    with pytest.raises(BadData, match=r"column 'label': 1\.15\d+e\+18 is a rounded number, no exact name"):
        read(tmp_path, reader, "t.parquet", [float(2**60), 2.0])


@tables
@every_format
def test_labels_that_differ_in_case_are_named_and_can_be_listed(tmp_path, reader, name):
    labels = ["cat", "Cat", "cat", "1", "1.0"]
    with pytest.raises(BadData) as caught:
        read(tmp_path, reader, name, labels)
    assert (
        "labels that differ only in case, spacing or a trailing .0: 'cat' (2 rows), 'Cat' (1 row); "
        "'1' (1 row), '1.0' (1 row); write them alike, or list all classes under `classes`"
    ) in str(caught.value)
    listed = read(tmp_path, reader, name, labels, classes=("cat", "Cat", "1", "1.0"))
    assert listed.targets.tolist() == [0, 1, 0, 2, 3]


@tables
@every_format
def test_classes_that_are_numbers_stand_in_numeric_order(tmp_path, reader, name):
    labels = [str(number) for number in range(1, 13)]
    assert list(read(tmp_path, reader, name, labels).task.classes) == labels
    if name in TYPED:
        assert list(read(tmp_path, reader, name, list(range(1, 13))).task.classes) == labels


BAD_LABELS = {
    "bytes": (["t.parquet"], [b"cat", b"dog"], r"must contain class names; got bytes: save them as UTF-8 text"),
    "structure": (
        TYPED,
        [{"id": 1}, {"id": 2}],
        r"must contain class names; got a structure: write one of its values",
    ),
    "nested": (TYPED, [[["a"]], [["b"]]], r"a list of labels contains a list; write a flat list of names"),
    "structures": (TYPED, [[{"id": 1}], [{"id": 2}]], r"got a structure"),
    "shares": (TYPED, [[0.2, 0.8], [0.5, 0.5]], r"a list of labels holds 0.2; write names of classes"),
    "marks": (TYPED, [[1, 0], [0, 1]], r"hold 2 marks of 0 and 1, not names of classes; set classes to the 2 names"),
    "truths": (TYPED, [[True, False], [False, True]], r"hold 2 marks of 0 and 1"),
    "list": (
        UNTYPED + TYPED,
        ["['a', 'b']", "['b']"],
        r"\['a', 'b'\] is a list written as text; .* set labels_separator",
    ),
    "json": (UNTYPED + TYPED, ['["a"]', "[]"], r"is a list written as text"),
    "numpy": (UNTYPED + TYPED, ["[0 1 0]", "[1 0 0]"], r"\[0 1 0\] is a list written as text"),
    "dict": (UNTYPED + TYPED, ["{'a': 1}", "{'b': 1}"], r"is a list written as text"),
}


@tables
@pytest.mark.parametrize("case", BAD_LABELS)
def test_labels_that_are_no_names_are_refused_with_what_to_write(tmp_path, reader, case):
    formats, labels, message = BAD_LABELS[case]
    for name in formats:
        with pytest.raises(BadData, match=rf"{name}.*{message}"):
            read(tmp_path, reader, name, labels)


@tables
@typed_format
def test_marks_are_understood_where_the_classes_are_named(tmp_path, reader, name):
    samples = read(tmp_path, reader, name, [[1, 0], [0, 0], [1, 1]], classes=("cat", "dog"))
    assert samples.task.classes == ("cat", "dog") and samples.targets.tolist() == [[1, 0], [0, 0], [1, 1]]
    ids = read(tmp_path, reader, name, [[3, 7], [7], [3]])
    assert ids.task.classes == ("3", "7") and ids.targets.tolist() == [[1, 1], [0, 1], [1, 0]]


@tables
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"classes": ("cat", "dog", "cat ")}, "classes names 'cat' twice"),
        ({"label": ("cat", "cat\u00a0")}, "label must be a column, or a list of different ones"),
        ({"label": ()}, "label must be a column, or a list of different ones"),
    ],
)
def test_settings_that_name_a_class_twice_are_refused(tmp_path, reader, settings, message):
    with pytest.raises(ExperimentError, match=message):
        read(tmp_path, reader, "t.csv", ["cat", "dog"], **settings)


@tables
def test_a_name_in_brackets_is_a_name(tmp_path, reader):
    assert read(tmp_path, reader, "t.csv", ["[other]", "(misc)", "plain"]).task.classes == (
        "(misc)",
        "[other]",
        "plain",
    )


@tables
@every_format
def test_groups_that_differ_in_blanks_or_case_are_one(tmp_path, reader, name):
    columns = [("by", ["p1", "p1 ", "P1", "p2", "\u00a0p2", "p3"])]
    samples = read(tmp_path, reader, name, columns=columns, group="by")
    assert samples.groups.tolist() == [0, 0, 0, 1, 1, 2]
    assert "groups that differ only in case, spacing or a trailing .0 are one: 'p1' = 'P1'" in samples.notes
    for seed in range(20):
        kept, held = stratify.split(samples.targets, samples.groups, 2, words(samples), seed)
        assert not {*samples.groups[kept]} & {*samples.groups[held]}


MISSING = ["p1", "", "None", "nan", " ", "p1"]


@tables
@every_format
def test_samples_without_a_group_are_groups_of_their_own_and_told(tmp_path, reader, name):
    missing = MISSING if name in UNTYPED else [*MISSING[:4], None, "p1"]
    samples = read(tmp_path, reader, name, columns=[("by", missing)], group="by")
    assert samples.groups.tolist() == [0, 1, 2, 3, 4, 0]
    line = 2 + (name in UNTYPED)
    assert f"4 rows without a value in 'by' (first: line {line}): each is its own group" in samples.notes


@tables
@every_format
@pytest.mark.parametrize("split", ["train", "val"])
def test_split_names_are_the_same_names(tmp_path, reader, name, split):
    columns = [("part", ["train", " Train", "train\u00a0", "training", "val", "Validation ", "dev", "valid\ufeff"])]
    assert len(read(tmp_path, reader, name, columns=columns, split=split, split_column="part")) == 4


REPEATED = [f"{place % 20}.png" for place in range(28)]


@tables
@every_format
def test_rows_of_the_same_sample_are_on_one_side_of_splits_and_folds(tmp_path, reader, name):
    labels = ["xy"[int(sample.split(".")[0]) % 2] for sample in REPEATED]
    samples = read(tmp_path, reader, name, labels, REPEATED)
    noun = NOUNS[reader]
    assert f"8 {noun}s are in several rows; a split keeps these on one side" in samples.notes
    for seed in range(20):
        kept, held = stratify.split(samples.targets, samples.groups, 0.3, words(samples), seed)
        assert not {REPEATED[i] for i in kept} & {REPEATED[i] for i in held}
        fold = stratify.folds(samples.targets, samples.groups, 4, words(samples), seed)
        assert all(len({*fold[[i for i, one in enumerate(REPEATED) if one == sample]]}) == 1 for sample in REPEATED)


@tables
def test_a_group_and_a_repeated_sample_hold_others_together(tmp_path, reader):
    files = ["a.png", "b.png", "a.png", "c.png", "d.png", "d.png"]
    by = [("by", ["1", "1", "2", "2", "", ""])]
    samples = read(tmp_path, reader, "t.csv", ["x", "y", "x", "y", "x", "x"], files, columns=by, group="by")
    assert samples.groups.tolist() == [0, 0, 0, 0, 1, 1]


@tables
@every_format
def test_one_row_for_each_label_is_refused_or_joined(tmp_path, reader, name):
    files = ["a.png", "a.png", "b.png", "c.png"]
    with pytest.raises(
        BadData, match=r"1 \w+ is in several rows with different labels, such as line \d \('x'\) and line"
    ) as caught:
        read(tmp_path, reader, name, ["x", "y", "x", "y"], files)
    assert "set labels_separator" in str(caught.value)
    samples = read(tmp_path, reader, name, ["x", "y", "x", "y"], files, labels_separator="|")
    assert len(samples) == 3 and samples.targets.tolist() == [[1, 1], [1, 0], [0, 1]] and samples.groups is None
    assert any("1 more row of the same" in note for note in samples.notes)


@tables
def test_a_few_texts_of_a_table_may_have_two_labels_and_no_file(tmp_path, reader):
    files = [f"{place}.png" for place in range(99)] + ["0.png"]
    labels = ["x", "y"] * 50
    if reader != "text_table":
        with pytest.raises(BadData, match=r"line 2 \('x'\) and line 101 \('y'\)"):
            read(tmp_path, reader, "t.csv", labels, files)
        return
    samples = read(tmp_path, reader, "t.csv", labels, files)
    assert samples.groups[0] == samples.groups[99] and len({*samples.groups}) == 99
    assert any("1 text is in several rows with different labels, such as line 2 ('x')" in it for it in samples.notes)


@tables
def test_groups_in_two_splits_are_told(tmp_path, reader):
    columns = [("part", ["train", "train", "val", "val", "test"]), ("by", ["1", "2", "2", "1", "3"])]
    notes = {
        split: read(tmp_path, reader, "t.csv", [*"xyyxx"], None, split, columns, split_column="part", group="by").notes
        for split in ("train", "val", "test")
    }
    noun = NOUNS[reader]
    assert notes == {"train": (), "val": ("2 of the groups are also in 'train': '1'",), "test": (f"no {noun} of 'y'",)}


@tables
@every_format
def test_samples_have_the_same_key_in_every_table(tmp_path, reader, name):
    first = read(
        tmp_path,
        reader,
        name,
        [*"xyxy"],
        ["a.png", "b.png", "b.png", "c.png"],
        classes=("x", "y"),
        labels_separator="|",
    )
    other = read(tmp_path, reader, "u.csv", [*"xyxy"], ["d.png", "c.png", "a.png", "e.png"])
    assert len(first.keys) == len(first) == 3
    assert np.isin(other.keys, first.keys).tolist() == [False, True, True, False]
    assert first.keys[0] == other.keys[2]


@tables
@every_format
def test_numbers_to_predict_are_exact(tmp_path, reader, name):
    numbers = [16777217, 1700000000.125, -0.1, 2**53]
    samples = read(tmp_path, reader, name, columns=[("score", numbers)], target="score", label=None)
    assert samples.targets.dtype == np.float64 and samples.targets[:, 0].tolist() == numbers


@tables
def test_a_sample_may_have_several_numbers_and_stays_on_one_side(tmp_path, reader):
    files = ["a.png", "b.png", "a.png", "c.png"]
    samples = read(tmp_path, reader, "t.csv", [*"xxxx"], files, columns=[("score", [1, 2, 3, 4])], target="score")
    assert samples.targets[:, 0].tolist() == [1, 2, 3, 4] and samples.groups.tolist() == [0, 1, 0, 2]


def fill(root: Path, reader: str, *classes: str) -> Path:
    for place, name in enumerate(classes):
        folder = root / name
        folder.mkdir(parents=True)
        for number in range(2):
            (folder / f"{number}.{FOLDERS[reader]}").write_text(f"sample {place} {number}")
    return root


@folders
def test_folders_have_the_same_names_as_tables(tmp_path, reader):
    samples = READERS[reader]("train", path=fill(tmp_path, reader, "cafe\u0301", "dog ", "eel"))
    assert samples.task.classes == ("caf\u00e9", "dog", "eel") and np.bincount(samples.targets).tolist() == [2, 2, 2]
    assert all("caf" in samples.name(i) for i in np.flatnonzero(samples.targets == 0))
    numbered = READERS[reader]("train", path=fill(tmp_path / "n", reader, *map(str, range(1, 13))))
    assert numbered.task.classes == tuple(str(number) for number in range(1, 13))
    assert all(f"/{samples_of + 1}/" in numbered.name(i) for i, samples_of in enumerate(numbered.targets))


@folders
@pytest.mark.parametrize("twin", ["CAT", "cat ", "cat\u00a0", "c\u200bat"])
def test_folders_that_differ_in_case_or_blanks_are_refused(tmp_path, reader, twin):
    with pytest.raises(BadData, match=r"differ only in case, spacing or encoding: 'cat', '|differ only in case"):
        READERS[reader]("train", path=fill(tmp_path, reader, "cat", twin, "dog"))


@folders
def test_the_same_file_under_two_names_is_on_one_side(tmp_path, reader):
    root = fill(tmp_path, reader, "cat", "dog")
    (root / "cat" / f"2.{FOLDERS[reader]}").symlink_to(f"0.{FOLDERS[reader]}")
    (root / "dog" / f"2.{FOLDERS[reader]}").hardlink_to(root / "dog" / f"1.{FOLDERS[reader]}")
    samples = READERS[reader]("train", path=root)
    names = [samples.name(i) for i in range(len(samples))]
    group = dict(zip(("/".join(name.split("/")[-2:]).split(".")[0] for name in names), samples.groups, strict=True))
    assert len({*samples.keys}) == 4
    assert group["cat/0"] == group["cat/2"] and group["dog/1"] == group["dog/2"] and len({*group.values()}) == 4


@folders
@pytest.mark.parametrize("names", [("Train", "dev"), ("training ", "test"), ("train", "validation", "testing")])
def test_folders_of_splits_are_known_by_the_same_names(tmp_path, reader, names):
    with pytest.raises(BadData, match=r"holds the splits .*, not classes; write one line for each: "):
        READERS[reader]("train", path=fill(tmp_path, reader, *names))
