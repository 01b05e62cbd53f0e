"""Members of zip archives as Python's zipfile sees them."""

import os
import zipfile

import pytest
from archives import write_zip

from ftaug.data.shards.zip_directory import zip_members
from ftaug.errors import BadData

MEMBERS = {"a.jpg": b"1" * 700, "é/b.jpg": b"", "c/": b"", "c/d.jpg": b"2" * 70_000}


def contents(path):
    data = path.read_bytes()
    return {os.fsdecode(m.name): data[m.offset : m.offset + m.size] for m in zip_members(path)}


def test_members_are_those_of_zipfile(tmp_path):
    path = write_zip(tmp_path / "t.zip", MEMBERS)
    expected = {name: content for name, content in MEMBERS.items() if not name.endswith("/")}
    assert contents(path) == expected
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"a comment " * 100
    assert contents(path) == expected


def test_large_archives_have_64_bit_fields(tmp_path, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    path = write_zip(tmp_path / "t.zip", {"a.jpg": b"1" * 700, "b.jpg": b"2" * 70})
    assert b"PK\6\6" in path.read_bytes()
    assert contents(path) == {"a.jpg": b"1" * 700, "b.jpg": b"2" * 70}


def test_links_compressed_and_encrypted_members_have_a_problem(tmp_path):
    path = write_zip(tmp_path / "t.zip", {"a.jpg": b"1" * 700}, zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("l.jpg")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, b"a.jpg")
        archive.writestr("e.jpg", b"3")
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)
    assert {m.name: m.problem for m in zip_members(path)} == {
        b"a.jpg": "is compressed: write it anew with ftaug pack, which reads compressed archives, or with zip -0",
        b"l.jpg": "is a link",
        b"e.jpg": "is encrypted",
    }


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        (lambda content: content[:-30], "not a zip archive, or truncated: the directory at its end is missing"),
        (lambda content: content[600:], "damaged"),
        (lambda content: content.replace(b"PK\1\2", b"PK\1\3"), r"damaged at byte \d+: a header cannot be read"),
        (lambda content: content.replace(b"PK\3\4", b"PK\3\5"), "damaged at byte 0: a header cannot be read"),
        (lambda content: b"", "not a zip archive"),
    ],
)
def test_a_damaged_archive_is_an_error(tmp_path, cut, message):
    path = write_zip(tmp_path / "t.zip", {"a.jpg": b"1" * 700})
    path.write_bytes(cut(path.read_bytes()))
    with pytest.raises(BadData, match=message):
        contents(path)


def test_names_in_the_code_page_of_dos_become_utf_8(tmp_path):
    path = write_zip(tmp_path / "t.zip", {"x.jpg": b"1"})
    path.write_bytes(path.read_bytes().replace(b"x.jpg", b"\x82.jpg"))
    assert contents(path) == {"é.jpg": b"1"}
