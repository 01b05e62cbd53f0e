"""`ftaug init` for archives, Parquet and Arrow files: the dataset that reads them, and the splits that they have."""

import io
from pathlib import Path

import numpy as np
import pytest
import yaml
from archives import write_tar, write_zip
from hf_files import PICTURE, classes, picture_table, with_features, write_disk, write_parquet
from PIL import Image

from ftaug.cli import run
from ftaug.experiment_file import load


def png(number):
    file = io.BytesIO()
    Image.fromarray(np.full((20, 30, 3), number, np.uint8)).save(file, "PNG")
    return file.getvalue()


PICTURES = {f"{name}/{i}.png": png(i) for name in ("cat", "dog") for i in range(4)}
TEXTS = {f"{name}/{i}.txt": f"{name} number {i}".encode() for name in ("good", "bad") for i in range(4)}


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table(rows):
    names = sorted({name.partition("/")[0] for name in rows})
    labels = [names.index(name.partition("/")[0]) for name in rows]
    return picture_table([*rows.items()], {"image": PICTURE, "label": classes(*names)}, label=labels)


def text_table():
    import pyarrow

    rows = {"text": [text.decode() for text in TEXTS.values()], "label": [0] * 4 + [1] * 4}
    return with_features(pyarrow.table(rows), {"label": classes("good", "bad")})


def written(path, *arguments):
    """The data of the experiment file that `ftaug init` writes, which is valid."""
    assert run(["init", str(path), "-o", "e.yaml", *arguments]) == 0
    load("e.yaml")
    return yaml.safe_load(Path("e.yaml").read_text())


def test_archives(desk, capsys):
    (desk / "shards").mkdir()
    for split, part in (("train", 6), ("val", 2)):
        write_tar(desk / "shards" / f"{split}-0.tar", dict([*PICTURES.items()][::-1][:part] + [*PICTURES.items()][:1]))
    content = written("shards")
    dataset = {"image_shards": {"path": "shards"}}
    assert content["data"]["train"] == dataset and content["data"]["val"] == dataset and "modality" not in content
    assert "7 training pictures of 2 classes, about 30×20 pixels" in (desk / "e.yaml").read_text()
    assert run(["inspect", "e.yaml"]) == 0
    (desk / "e.yaml").unlink()
    write_zip(desk / "photos.zip", PICTURES)
    content = written("photos.zip")
    assert content["data"]["train"] == {"image_shards": {"path": "photos.zip"}}
    assert content["data"]["val"] == {"split": "20%"}


def test_archives_of_texts(desk):
    write_tar(desk / "reviews.tar", TEXTS)
    content = written("reviews.tar")
    assert content["modality"] == "text" and content["data"]["train"] == {"text_shards": {"path": "reviews.tar"}}


def test_parquet_and_arrow_files(desk):
    pytest.importorskip("pyarrow")
    (desk / "beans").mkdir()
    for split in ("train", "validation", "test"):
        write_parquet(desk / "beans" / f"{split}-00000-of-00001.parquet", table(PICTURES))
    assert {*written("beans")["data"]} >= {"train", "val", "test"}
    assert load("e.yaml").data.test.name == "image_parquet"
    (desk / "e.yaml").unlink()
    write_parquet(desk / "one.parquet", table(PICTURES))
    assert written("one.parquet")["data"]["train"] == {"image_parquet": {"path": "one.parquet"}}
    (desk / "e.yaml").unlink()
    write_disk(desk / "disk", table(PICTURES))
    assert written("disk")["data"]["train"] == {"hf_disk": {"path": "disk"}}


def test_splits_of_a_dataset_on_disk(desk):
    pytest.importorskip("pyarrow")
    for split in ("train", "test"):
        write_disk(desk / "disk" / split, table(PICTURES))
    (desk / "disk" / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    content = written("disk")
    assert content["data"]["test"] == {"hf_disk": {"path": "disk"}}


def test_parquet_files_of_texts(desk):
    pytest.importorskip("pyarrow")
    write_parquet(desk / "a.parquet", text_table(), compression="snappy")
    assert "text_table" in written("a.parquet")["data"]["train"]
    (desk / "e.yaml").unlink()
    (desk / "reviews").mkdir()
    (desk / "a.parquet").rename(desk / "reviews" / "train-0.parquet")
    content = written("reviews")
    assert content["modality"] == "text" and content["data"]["train"] == {"text_parquet": {"path": "reviews"}}


def test_archives_beside_class_folders_are_no_dataset(desk):
    for name, content in PICTURES.items():
        (desk / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (desk / "photos" / name).write_bytes(content)
    write_zip(desk / "photos" / "backup.zip", PICTURES)
    assert written("photos")["data"]["train"] == {"image_folder": {"path": "photos"}}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.tar.gz", b"\x1f\x8b" + bytes(100), "a.tar.gz: is compressed with gzip"),
        ("b.tar", b"x" * 600, "b.tar: not a tar archive, or damaged at byte 0"),
        ("d.zip", b"PK", "d.zip: not a zip archive, or truncated"),
    ],
)
def test_what_cannot_be_read_is_said(desk, capsys, name, content, message):
    (desk / name).write_bytes(content)
    assert run(["init", name]) == 65
    assert message in capsys.readouterr().err and not [*desk.glob("*.yaml")]


def test_archives_without_samples(desk, capsys):
    write_tar(desk / "c.tar", {"a/1.pdf": b""})
    assert run(["init", "c.tar"]) == 65
    assert "c.tar holds no pictures; 1 file of another kind ignored: .pdf (1)" in capsys.readouterr().err
