"""Pictures in Parquet and Arrow files: the same samples and digest as in a folder."""

import sys

import pytest
from hf_files import PICTURE, classes, picture_table, write_disk, write_parquet

from ftaug.errors import Unavailable
from ftaug.image.datasets.columns import hf_disk, image_parquet
from ftaug.image.datasets.folder import image_folder

pyarrow = pytest.importorskip("pyarrow")

FEATURES = {"image": PICTURE, "label": classes("cat", "dog")}


@pytest.fixture
def folder(tmp_path):
    for name in ("cat/1.jpg", "cat/2.jpg", "dog/1.jpg"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(name.encode() * 3)
    return image_folder("train", path=tmp_path / "photos")


def tables(folder):
    """The pictures with the last part of their paths, as they are uploaded to the hub, in two tables."""
    rows = [(folder.key(i).rpartition("/")[2], folder.read(i)) for i in range(len(folder))]
    whole = picture_table(rows, FEATURES, label=folder.targets.tolist())
    return whole.slice(0, 2), whole.slice(2)


def test_the_same_pictures_are_the_same_samples(folder, tmp_path):
    for number, table in enumerate(tables(folder)):
        write_parquet(tmp_path / f"train-{number}.parquet", table)
        write_parquet(tmp_path / f"snappy-{number}.parquet", table, compression="snappy")
    readers = [
        image_parquet("train", path=tmp_path / "train-{0..1}.parquet"),
        image_parquet("train", path=tmp_path / "snappy-*.parquet"),
        hf_disk("train", path=write_disk(tmp_path / "disk", *tables(folder))),
    ]
    for samples in readers:
        assert samples.fingerprint == folder.fingerprint and samples.task == folder.task
        assert [samples.key(i) for i in range(3)] == [folder.key(i) for i in range(3)]
        assert [samples.read(i) for i in range(3)] == [folder.read(i) for i in range(3)]
        assert samples.targets.tolist() == folder.targets.tolist()
    assert readers[0].name(2) == f"{tmp_path}/train-1.parquet/dog/1.jpg"
    assert readers[0].places[:, 0].tolist() == [0, 0, 1]


def test_pyarrow_is_an_extra(folder, tmp_path, monkeypatch):
    parquet = write_parquet(tmp_path / "t.parquet", tables(folder)[0])
    disk = write_disk(tmp_path / "disk", *tables(folder))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for read in (lambda: image_parquet("train", path=parquet), lambda: hf_disk("train", path=disk)):
        with pytest.raises(Unavailable, match=r"needs pyarrow: pip install 'ftaug\[parquet\]'"):
            read()
