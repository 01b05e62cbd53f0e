"""Compressed archives become tar archives with the same members, or an error."""

import bz2
import gzip
import lzma
import tarfile
import zipfile

import pytest
from archives import write_tar, write_zip

from ftaug.data.shards.decompress import decompress, is_compressed
from ftaug.errors import BadData

MEMBERS = {"cat/1.jpg": bytes(2000), "dog/größe.jpg": b"woof" * 500, "dog/empty.jpg": b""}
COMPRESS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


def compressed_tar(folder, kind):
    path = folder / f"a.tar.{kind}"
    path.write_bytes(COMPRESS[kind](write_tar(folder / "plain.tar", MEMBERS).read_bytes()))
    return path


def members(path):
    with tarfile.open(path, "r:") as archive:
        return {info.name: archive.extractfile(info).read() for info in archive}


@pytest.mark.parametrize("kind", COMPRESS)
def test_tar_archives_are_the_same_byte_by_byte(tmp_path, kind):
    archive = compressed_tar(tmp_path, kind)
    assert is_compressed(archive) and not is_compressed(tmp_path / "plain.tar")
    decompress(archive, tmp_path / "b.tar")
    assert (tmp_path / "b.tar").read_bytes() == (tmp_path / "plain.tar").read_bytes()


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_of_zip_archives_are_copied_in_their_order(tmp_path, method):
    archive = write_zip(tmp_path / "a.zip", MEMBERS, method)
    assert is_compressed(archive) and not is_compressed(write_zip(tmp_path / "stored.zip", MEMBERS))
    decompress(archive, tmp_path / "b.tar")
    assert list(members(tmp_path / "b.tar").items()) == list(MEMBERS.items())


@pytest.mark.parametrize("kind", COMPRESS)
@pytest.mark.parametrize("damage", ["truncated", "flipped"])
def test_a_damaged_stream_is_an_error_and_leaves_no_archive(tmp_path, kind, damage):
    archive = compressed_tar(tmp_path, kind)
    content = bytearray(archive.read_bytes())
    if damage == "truncated":
        del content[-10:]
    else:
        content[len(content) // 2] ^= 0xFF
    archive.write_bytes(content)
    with pytest.raises(BadData, match=rf"a\.tar\.{kind}: is damaged, truncated or compressed in another way: \w"):
        decompress(archive, tmp_path / "b.tar")
    assert not (tmp_path / "b.tar").exists()


def test_a_damaged_member_of_a_zip_archive_is_an_error(tmp_path):
    archive = write_zip(tmp_path / "a.zip", {"cat/1.jpg": b"abc" * 1000}, zipfile.ZIP_DEFLATED)
    content = bytearray(archive.read_bytes())
    content[50] ^= 0xFF
    archive.write_bytes(content)
    with pytest.raises(BadData, match=r"a\.zip: is damaged, truncated or"):
        decompress(archive, tmp_path / "b.tar")
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_a_link_in_a_zip_archive_is_an_error(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("cat/1.jpg", bytes(100))
        info = zipfile.ZipInfo("cat/2.jpg")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        archive.writestr(info, "1.jpg")
    with pytest.raises(BadData, match=r"a\.zip: cat/2\.jpg: is a link"):
        decompress(tmp_path / "a.zip", tmp_path / "b.tar")
