"""Pictures in archives: the same samples, digest and batches as in a folder or table."""

import subprocess

import cv2
import numpy as np
import pytest
from archives import write_tar, write_zip

from ftaug.image.datasets.folder import image_folder
from ftaug.image.datasets.shards import image_shards
from ftaug.image.datasets.table import image_table
from ftaug.image.samples import augmented, pipeline


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for name in ("cat/3.jpg", "cat/10.png", "cat/deep/1.jpg", "cat/deep-er/1.jpg", "dog/2.jpg", "dog/1.jpg"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / name), rng.integers(0, 255, (20, 30, 3), np.uint8))
    return root


def members(photos):
    return {str(path.relative_to(photos)): path.read_bytes() for path in photos.rglob("*.*")}


def assert_same(stored, samples):
    assert stored.fingerprint == samples.fingerprint and stored.task == samples.task
    assert [stored.key(i) for i in range(len(stored))] == [samples.key(i) for i in range(len(samples))]
    assert stored.targets.tolist() == samples.targets.tolist() and stored.targets.dtype == samples.targets.dtype
    assert [stored.read(i) for i in range(len(stored))] == [samples.read(i) for i in range(len(samples))]


def test_the_same_pictures_in_a_tar_a_zip_and_several_shards_are_the_same_samples(photos, tmp_path):
    folder = image_folder("train", path=photos)
    subprocess.run(["tar", "cf", tmp_path / "t.tar", "-C", photos, "."], check=True)
    subprocess.run(["tar", "cf", tmp_path / "w.tar", "-C", photos.parent, photos.name], check=True)
    content = members(photos)
    write_zip(tmp_path / "t.zip", content)
    for number in range(2):
        write_tar(tmp_path / f"s-{number}.tar", {name: content[name] for name in [*content][number::2]})
    assert_same(image_shards("train", path=tmp_path / "t.tar"), folder)
    assert_same(image_shards("train", path=tmp_path / "t.zip"), folder)
    assert_same(image_shards("train", path=tmp_path / "s-{0..1}.tar"), folder)
    assert_same(image_shards("train", path=tmp_path / "w.tar", root=photos.name), folder)
    assert image_shards("train", path=tmp_path / "t.zip").name(0) == f"{tmp_path}/t.zip/cat/10.png"


def test_labels_in_json_files_give_the_samples_of_a_table(photos, tmp_path):
    rows = [("dog/2.jpg", "x"), ("cat/3.jpg", "y"), ("cat/10.png", "x")]
    (photos / "t.csv").write_text("path,label\n" + "".join(f"{path},{label}\n" for path, label in rows))
    content = members(photos)
    pairs = {}
    for path, label in rows:
        pairs |= {path: content[path], f"{path.rpartition('.')[0]}.json": f'{{"label": "{label}"}}'.encode()}
    stored = image_shards("train", path=write_tar(tmp_path / "t.tar", pairs))
    assert_same(stored, image_table("train", path=photos / "t.csv"))


def test_a_value_range_changes_the_fingerprint_and_the_pixels(tmp_path):
    deep = cv2.imencode(".png", np.full((4, 4), 4095, np.uint16))[1].tobytes()
    path = write_tar(tmp_path / "t.tar", {"a/1.png": deep, "b/1.png": deep})
    plain, ranged = (image_shards("train", path=path, value_range=values) for values in (None, (0, 4095)))
    assert plain.fingerprint != ranged.fingerprint
    assert ranged.read(0).load(1).max() == 255 and ranged.places[:, 0].tolist() == [0, 0]
    size = {"size": [4, 4], "resize": None, "interpolation": "bilinear"}
    assert augmented(plain.read(0), pipeline((), size), None, ())[0].max() < 20
