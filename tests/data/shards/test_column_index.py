import pytest
from hf_files import PICTURE, classes, picture_table, write_disk, write_parquet

from ftaug.config.registry import Component
from ftaug.data.shards.arrow_files import files_on_disk
from ftaug.data.shards.column_index import ARROW, PARQUET, column_tasks, file_index
from ftaug.data.shards.columns import ColumnSettings
from ftaug.data.shards.parquet_files import RowGroups
from ftaug.errors import BadData, ExperimentError

pyarrow = pytest.importorskip("pyarrow")

FEATURES = {"image": PICTURE, "label": classes("cat", "dog")}
PICTURES = [("1.jpg", b"1"), ("x/dog/2.jpg", b"22"), (None, b"333")]


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def index(files, format=PARQUET, label=None, target=None, group=None, names=None):
    settings = ColumnSettings(None, label, target, group, names)
    return file_index("image_parquet", files[0].parent, files, format, settings, "picture")


def names(found):
    return [found.names[i].decode() for i in range(len(found.names))]


def test_names_are_those_of_class_folders(tmp_path):
    table = picture_table(PICTURES, FEATURES, label=[0, 1, 1])
    parquet = index([write_parquet(tmp_path / "a.parquet", table), write_parquet(tmp_path / "b.parquet", table)])
    assert names(parquet) == ["cat/1.jpg", "dog/2.jpg", "dog/a-3", "cat/1.jpg", "dog/2.jpg", "dog/b-3"]
    assert parquet.targets.tolist() == [0, 1, 1] * 2 and parquet.task.classes == ("cat", "dog")
    assert [parquet.extents.read(i) for i in range(6)] == [b"1", b"22", b"333"] * 2
    assert parquet.extents.shard_of.tolist() == [0, 0, 0, 1, 1, 1]
    arrow = index(files_on_disk("train", write_disk(tmp_path / "d", table)), ARROW)
    assert [arrow.extents.read(i) for i in range(3)] == [b"1", b"22", b"333"] and arrow.targets.tolist() == [0, 1, 1]


def test_compressed_pictures_are_read_too(tmp_path):
    table = picture_table(PICTURES, FEATURES, label=[0, 1, 1])
    found = index([write_parquet(tmp_path / "a.parquet", table, 2, compression="snappy")])
    assert isinstance(found.extents, RowGroups) and found.extents.places.tolist() == [[0, 0], [0, 1], [1, 0]]
    assert [found.extents.read(i) for i in range(3)] == [b"1", b"22", b"333"]
    assert found.fingerprint == index([write_parquet(tmp_path / "a.parquet", table)]).fingerprint


def test_other_labels_and_groups(tmp_path):
    table = picture_table(PICTURES, label=[["x"], [], ["x", "y"]], age=[1.0, 2.0, 3.0], by=["p", "q", "p"])
    path = write_parquet(tmp_path / "a.parquet", table)
    several = index([path], group="by")
    assert several.task.multi_label and several.targets.tolist() == [[1, 0], [0, 0], [1, 1]]
    assert several.groups.tolist() == [0, 1, 0] and names(several) == ["1.jpg", "x/dog/2.jpg", "a-3"]
    assert index([path], target="age").targets.tolist() == [[1.0], [2.0], [3.0]]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            picture_table([("1.jpg", None)], label=[0]),
            r"a.parquet:1: the row has no bytes of a picture, only the path 1.jpg",
        ),
        (picture_table([(None, None)], label=[0]), r"a.parquet:1: the row has no bytes of a picture$"),
        (
            picture_table(PICTURES, FEATURES, label=[0, 1, 2]),
            "parquet:3: the label 2 is beyond the 2 classes, 0 to 1",
        ),
        (picture_table(PICTURES, FEATURES, label=[0, -1, 1]), "a.parquet:2: the label is -1, which stands for none"),
        (picture_table(PICTURES, label=[0, None, 1]), "a.parquet:2: the label is empty"),
        (picture_table(PICTURES, label=pyarrow.array([0, 0, 0])).slice(0, 0), "has no rows"),
    ],
)
def test_rows_that_cannot_be_used_are_errors(tmp_path, table, message):
    with pytest.raises(BadData, match=message):
        index([write_parquet(tmp_path / "a.parquet", table)])


def test_files_with_other_columns_or_classes_are_errors(tmp_path):
    files = [
        write_parquet(
            tmp_path / f"{n}.parquet",
            picture_table(PICTURES, {**FEATURES, "label": classes(n, "dog")}, label=[0, 1, 1]),
        )
        for n in "ab"
    ]
    with pytest.raises(
        BadData, match=r"b.parquet: its columns, their types or classes are others than those of .*a.parq"
    ):
        index(files)


def test_tasks():
    unset = {"label": None, "target": None, "classes": None}
    assert column_tasks(Component("dataset", "image_parquet", unset)) == ("single_label", "multi_label")
    assert column_tasks(Component("dataset", "image_parquet", {**unset, "target": "age"})) == ("regression",)
    with pytest.raises(ExperimentError, match="target is for numbers"):
        column_tasks(Component("dataset", "image_parquet", {**unset, "target": "age", "label": "x"}))
