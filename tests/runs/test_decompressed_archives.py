"""`ftaug pack` reads compressed archives, once each, and writes the bytes that it writes of plain ones."""

import gzip
import zipfile

import pytest
from archives import write_tar, write_zip

from ftaug.cli import run

EXPERIMENT = "data: {{train: {{image_shards: {{path: {path}}}}}}}\nbackbone: {{resnet20: {{weights: none}}}}\n"
MEMBERS = {
    f"{name}/{number}.jpg": name.encode() * 50 + bytes([number]) for name in ("cat", "dog") for number in range(6)
}


def pack(folder, path, output):
    (folder / "a.yaml").write_text(EXPERIMENT.format(path=path))
    return run(["pack", str(folder / "a.yaml"), "--output", str(folder / output), "--size", "6kB"])


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}


@pytest.fixture
def archives(tmp_path):
    """A folder with the same pictures in two plain archives, and in compressed ones."""
    halves = dict([*MEMBERS.items()][:7]), dict([*MEMBERS.items()][7:])
    for kind in ("plain", "gz", "mixed", "zip"):
        (tmp_path / kind).mkdir()
    for number, half in enumerate(halves):
        plain = write_tar(tmp_path / "plain" / f"{number}.tar", half)
        (tmp_path / "gz" / f"{number}.tgz").write_bytes(gzip.compress(plain.read_bytes()))
        write_zip(tmp_path / "zip" / f"{number}.zip", half, zipfile.ZIP_DEFLATED)
    (tmp_path / "mixed" / "0.tar").symlink_to(tmp_path / "plain" / "0.tar")
    (tmp_path / "mixed" / "1.zip").symlink_to(tmp_path / "zip" / "1.zip")
    assert pack(tmp_path, "plain", "expected") == 0
    return tmp_path


@pytest.mark.parametrize("kind", ["gz", "mixed", "zip"])
def test_the_bytes_are_those_of_plain_archives(archives, kind):
    assert pack(archives, kind, "out") == 0
    assert contents(archives / "out") == contents(archives / "expected")


def test_an_archive_that_is_decompressed_is_not_read_again(archives, monkeypatch, capsys):
    second = archives / "gz" / "1.tgz"
    intact = second.read_bytes()
    second.write_bytes(intact[:-20])
    assert pack(archives, "gz", "out") == 65
    assert "gz/1.tgz: is damaged, truncated or" in capsys.readouterr().err
    second.write_bytes(intact)
    assert pack(archives, "gz", "out") == 0
    assert capsys.readouterr().err.count("decompressing ") == 1
    assert contents(archives / "out") == contents(archives / "expected")


def test_others_refuse_compressed_archives_and_name_pack(archives, capsys):
    (archives / "a.yaml").write_text(EXPERIMENT.format(path="gz"))
    assert run(["inspect", str(archives / "a.yaml")]) == 65
    error = capsys.readouterr().err
    assert "0.tgz: is compressed with gzip" in error and "write it anew with ftaug pack" in error
    (archives / "a.yaml").write_text(EXPERIMENT.format(path="zip"))
    assert run(["inspect", str(archives / "a.yaml")]) == 65
    assert "cat/0.jpg: is compressed: write it anew with ftaug pack" in capsys.readouterr().err


def test_a_folder_with_other_files_is_refused_before_anything_is_decompressed(archives, capsys):
    (archives / "out").mkdir()
    (archives / "out" / "mine.txt").touch()
    assert pack(archives, "gz", "out") == 73
    assert sorted(path.name for path in (archives / "out").iterdir()) == [".lock", "mine.txt"]
