import pytest

from ftaug.data.shards import paths
from ftaug.data.shards.paths import expand_braces, shards
from ftaug.errors import BadData, ExperimentError, MissingInput


@pytest.fixture
def folder(tmp_path):
    for name in ("train-0.tar", "train-1.tar", "val-0.tar", "notes.txt", ".hidden.tar"):
        (tmp_path / name).touch()
    return tmp_path


def names(folder, pattern, split="train"):
    return [file.name for file in shards("image_shards", split, folder / pattern, (".tar", ".zip"))]


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("a-{08..11}.tar", ["a-08.tar", "a-09.tar", "a-10.tar", "a-11.tar"]),
        ("{8..10}", ["8", "9", "10"]),
        ("{000..001}/{a,b}", ["000/a", "000/b", "001/a", "001/b"]),
        ("{x}", ["{x}"]),
        ("plain", ["plain"]),
    ],
)
def test_braces_expand_as_in_a_shell(text, expanded):
    assert expand_braces(text) == expanded


def test_files_folders_and_patterns(folder):
    assert names(folder, "val-0.tar") == ["val-0.tar"]
    assert names(folder, "train-{0..1}.tar") == ["train-0.tar", "train-1.tar"]
    assert names(folder, "*-0.tar") == ["train-0.tar", "val-0.tar"]
    assert names(folder, "", "train") == ["train-0.tar", "train-1.tar"]
    assert names(folder, "", "val") == ["val-0.tar"]
    with pytest.raises(BadData, match="no shards named after 'test'; there are those of train, val"):
        names(folder, "", "test")


def test_a_folder_without_names_of_splits_is_read_whole(tmp_path):
    for name in ("b.tar", "a.zip"):
        (tmp_path / name).touch()
    assert names(tmp_path, "", "val") == ["a.zip", "b.tar"]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("train-{0..9}.tar", "8 of 10 shards are missing: train-2.tar, train-3.tar, train-4.tar and 5 more"),
        ("x*.tar", r"no file matches .*x\*.tar"),
        ("train-0.tr", r"no file or folder .*train-0.tr; did you mean 'train-0.tar'\?"),
    ],
)
def test_missing_shards_are_named(folder, pattern, message):
    with pytest.raises(MissingInput, match=message):
        names(folder, pattern)


def test_a_folder_without_shards_is_an_error(tmp_path):
    with pytest.raises(MissingInput, match=r"image_shards found no \.tar or \.zip in this folder"):
        names(tmp_path, "")


def test_files_at_addresses_are_copied_in_their_order(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "local_copy", lambda address: tmp_path / address.rpartition("/")[2])
    assert shards("image_shards", "train", "https://host/a-{8..10}.tar?key=1", ()) == [
        tmp_path / f"a-{number}.tar?key=1" for number in (8, 9, 10)
    ]
    with pytest.raises(ExperimentError, match=r"^image_shards: s3://bucket/\*\.tar has a \*, which addresses cannot"):
        shards("image_shards", "train", "s3://bucket/*.tar", ())
