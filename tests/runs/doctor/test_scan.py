"""Every sample is read once; what cannot be read is listed, and the rest has digests and facts."""

import hashlib
from pathlib import Path

import numpy as np
from doctor_data import scanned, write_pictures
from PIL import Image


def test_rows_are_the_readable_samples_in_order(tmp_path):
    config = write_pictures(tmp_path)
    (tmp_path / "train" / "cat" / "3.png").write_bytes((tmp_path / "train" / "cat" / "3.png").read_bytes()[:200])
    (tmp_path / "test" / "dog" / "0.png").write_bytes(b"")
    scan = scanned(config)
    names = [scan.sample(row).name for row in range(len(scan))]
    files = sorted(tmp_path.glob("train/*/*.png")) + sorted(tmp_path.glob("test/*/*.png"))
    bad = {str(tmp_path / "train" / "cat" / "3.png"), str(tmp_path / "test" / "dog" / "0.png")}
    assert names == [str(file) for file in files if str(file) not in bad]
    assert {each.sample.name for each in scan.unreadable} == bad
    assert [(each.sample.split.purpose, each.sample.label) for each in scan.unreadable] == [
        ("train", "cat"),
        ("test", "dog"),
    ]
    expected = [hashlib.blake2b(Path(name).read_bytes(), digest_size=16).digest() for name in names]
    assert scan.digests.tolist() == [digest.rstrip(b"\0") for digest in expected]
    assert scan.facts["width"].tolist() == [Image.open(name).width for name in names]
    assert np.array_equal(scan.rows("test"), np.arange(11, 16))


def test_workers_change_nothing(tmp_path):
    config = write_pictures(tmp_path, train=30)
    alone, together = scanned(config), scanned(config, "data.workers=2")
    assert np.array_equal(alone.digests, together.digests)
    assert np.array_equal(alone.values[:], together.values[:])


def test_readable_samples_and_targets_are_those_of_the_rows(tmp_path):
    config = write_pictures(tmp_path)
    (tmp_path / "train" / "dog" / "2.png").write_bytes(b"")
    scan = scanned(config)
    assert [scan.sample(row).name for row in scan.rows("train")] == [*scan.readable("train").names()]
    labels = [scan.splits["train"].task.classes[code] for code in scan.targets(np.arange(len(scan)))]
    assert labels == [scan.sample(row).label for row in range(len(scan))]
