"""Members of tar archives as Python's tarfile sees them."""

import io
import os
import subprocess
import tarfile

import pytest
from archives import write_tar

from ftaug.data.shards.tar_headers import tar_members
from ftaug.errors import BadData

LONG = "folder/" + "x" * 90 + "/" + "é" * 80 + "/" + "y" * 60 + ".jpg"
MEMBERS = {"a.jpg": b"1" * 700, "é/b.jpg": b"", LONG: b"2" * 512, "c.txt": b"3"}


def by_tarfile(path):
    with tarfile.open(path, errors="surrogateescape") as archive:
        members = [member for member in archive if member.isreg()]
    return [(os.fsencode(member.name), member.offset_data, member.size) for member in members]


def contents(path):
    return [(member.name, member.offset, member.size) for member in tar_members(path)]


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_are_those_of_tarfile(tmp_path, format):
    members = dict(MEMBERS)
    if format == tarfile.USTAR_FORMAT:
        del members[LONG]
        members["p" * 120 + "/" + "q" * 90] = b"4"
    path = write_tar(tmp_path / "t.tar", members, format)
    assert contents(path) == by_tarfile(path) and len(contents(path)) == 4
    content = path.read_bytes()
    assert [content[at : at + size] for _, at, size in contents(path)] == [*members.values()]


@pytest.mark.parametrize("format", ["v7", "oldgnu", "gnu", "ustar", "posix"])
def test_archives_of_the_tar_program(tmp_path, format):
    (tmp_path / "d" / "deep").mkdir(parents=True)
    for name in ("d/1.jpg", "d/deep/2.jpg"):
        (tmp_path / name).write_bytes(os.urandom(1000))
    command = ["tar", "cf", tmp_path / "t.tar", f"--format={format}", "-C", tmp_path, "d"]
    subprocess.run(command, check=True)
    assert contents(tmp_path / "t.tar") == by_tarfile(tmp_path / "t.tar") != []


def test_sizes_beyond_eight_gigabytes_are_binary(tmp_path):
    info = tarfile.TarInfo("large.bin")
    info.size = 9 << 30
    with (tmp_path / "t.tar").open("wb") as file:
        file.write(info.tobuf(tarfile.GNU_FORMAT))
        file.truncate(512 + info.size + 1024)
    assert contents(tmp_path / "t.tar") == [(b"large.bin", 512, 9 << 30)]


def test_links_devices_and_sparse_files_have_a_problem(tmp_path):
    with tarfile.open(tmp_path / "t.tar", "w") as archive:
        for name, kind in (("l", tarfile.SYMTYPE), ("h", tarfile.LNKTYPE), ("d", tarfile.CHRTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "x"
            archive.addfile(info)
        archive.addfile(tarfile.TarInfo("good"), io.BytesIO())
    problems = {member.name: member.problem for member in tar_members(tmp_path / "t.tar")}
    assert "--dereference" in problems[b"l"] and "--hard-dereference" in problems[b"h"]
    assert problems[b"d"] == "is a device" and problems[b"good"] == ""
    with (tmp_path / "s.bin").open("wb") as file:
        file.truncate(1 << 20)
    for format in ("gnu", "posix"):
        command = ["tar", "cf", tmp_path / "s.tar", "--sparse", f"--format={format}", "-C", tmp_path, "s.bin"]
        subprocess.run(command, check=True)
        (member,) = tar_members(tmp_path / "s.tar")
        assert "is sparse: write the archive without --sparse" in member.problem


@pytest.fixture
def archive(tmp_path):
    return write_tar(tmp_path / "t.tar", {"a.jpg": b"1" * 700, "b.jpg": b"2" * 700})


@pytest.mark.parametrize(
    ("length", "message"),
    [
        (0, "truncated: it ends at byte 0 without the mark"),
        (100, "truncated: it ends at byte 100 "),
        (1000, "truncated: it ends within a member, at byte 1,000"),
        (1536, "truncated: it ends at byte 1,536 without the mark"),
        (3072, "truncated: it ends at byte 3,072 without the mark"),
    ],
)
def test_a_truncated_archive_is_an_error(archive, length, message):
    archive.write_bytes(archive.read_bytes()[:length])
    with pytest.raises(BadData, match=message):
        contents(archive)


def test_damage_and_other_files_are_errors(archive):
    content = bytearray(archive.read_bytes())
    content[1536 + 3] ^= 1
    archive.write_bytes(content)
    with pytest.raises(BadData, match="damaged at byte 1,536: the checksum is wrong"):
        contents(archive)
    archive.write_bytes(b"not an archive" * 100)
    with pytest.raises(BadData, match="not a tar archive, or damaged at byte 0"):
        contents(archive)


def test_a_second_archive_behind_the_first_is_an_error(archive):
    archive.write_bytes(archive.read_bytes() * 2)
    with pytest.raises(BadData, match="data behind the archive's end at byte 3,072: join archives with tar --concat"):
        contents(archive)


def test_extended_headers_that_lie_are_errors(tmp_path):
    path = write_tar(tmp_path / "t.tar", {LONG: b"1"}, tarfile.PAX_FORMAT)
    content = path.read_bytes()
    start = content.index(b"path=") - 4
    for damage in (b"9999 path", b"xxxx path", b"0003 path"):
        path.write_bytes(content[:start] + damage + content[start + 9 :])
        with pytest.raises(BadData, match="an extended header cannot be read"):
            contents(path)
