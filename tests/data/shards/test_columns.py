from pathlib import Path

import pytest
from hf_files import PICTURE, classes, picture_table, with_features

from ftaug.data.shards.columns import ColumnSettings, choose_columns
from ftaug.errors import BadData

pyarrow = pytest.importorskip("pyarrow")

PLAIN = picture_table([("1.jpg", b"1")], label=[0])


def choose(table, content="picture", sample=None, label=None, target=None, group=None, names=None):
    settings = ColumnSettings(sample, label, target, group, names)
    return choose_columns(Path("t.parquet"), table.schema, content, settings)


def test_columns_are_chosen_by_features_types_and_names():
    table = picture_table([("1.jpg", b"1")], {"image": PICTURE, "kind": classes("x", "y")}, kind=[0], age=[1.5])
    chosen = choose(table)
    assert (chosen.sample, chosen.in_struct, chosen.targets, chosen.classes) == ("image", True, ("kind",), ("x", "y"))
    assert choose(table, target="age", group="kind").labels == ("age", "kind")
    assert choose(table, names=("a", "b")).classes == ("a", "b")
    plain = pyarrow.table({"picture": [b"1"], "label": ["x"], "id": [1]})
    assert choose(plain).sample == "picture" and choose(plain).classes is None


@pytest.mark.parametrize("kind", ["Sequence", "List"])
def test_the_classes_of_lists_are_those_of_their_items(kind):
    features = {"image": PICTURE, "labels": {"feature": classes("x", "y"), "_type": kind}}
    assert choose(picture_table([("1.jpg", b"1")], features, labels=[[0, 1]])).classes == ("x", "y")


def test_texts():
    table = with_features(pyarrow.table({"text": ["a"], "label": [0]}), {"label": classes("n", "p")})
    assert choose(table, "text").sample == "text" and choose(table, "text").classes == ("n", "p")
    with pytest.raises(BadData, match="column 'label' must hold texts; it is of type int64"):
        choose(table, "text", sample="label")


@pytest.mark.parametrize(
    ("table", "settings", "message"),
    [
        (
            pyarrow.table({"image": ["https://x/1.jpg"], "label": [0]}),
            {},
            "column 'image' holds texts, such as paths",
        ),
        (pyarrow.table({"url": ["https://x/1.jpg"], "label": [0]}), {}, "column 'url' holds texts, .* not pictures"),
        (
            pyarrow.table({"a": [b""], "b": [b""], "label": [0]}),
            {},
            "several columns hold pictures: 'a', 'b'; set",
        ),
        (pyarrow.table({"x": [1], "label": [0]}), {}, "no column holds pictures; the columns are 'x', 'label'"),
        (PLAIN, {"label": "lable"}, "no column 'lable'; the columns are 'image', 'label'"),
        (PLAIN, {"sample": "label"}, "column 'label' must hold pictures as bytes; it is of type int64"),
        (PLAIN, {"group": "patient"}, "no column 'patient'"),
    ],
)
def test_columns_that_do_not_fit_are_errors(table, settings, message):
    with pytest.raises(BadData, match=f"t.parquet.*{message}"):
        choose(table, **settings)


@pytest.mark.parametrize("metadata", [None, {}, {b"huggingface": b"{"}, {b"huggingface": b'{"info": 1}'}])
def test_metadata_that_cannot_be_read_are_ignored(metadata):
    assert choose(PLAIN.replace_schema_metadata(metadata)).sample == "image"
