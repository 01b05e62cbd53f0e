"""Texts in archives: the same samples and digest as in a folder."""

import pytest
from archives import write_tar

from ftaug.errors import BadData
from ftaug.text.datasets.folder import text_folder
from ftaug.text.datasets.shards import text_shards

TEXTS = {"good/1.txt": b"fine", "bad/2.txt": b"\xef\xbb\xbfdull", "bad/1.txt": "naïve".encode(), "good/0.txt": b"fine"}


def test_texts_of_an_archive_are_those_of_a_folder(tmp_path):
    for name, content in TEXTS.items():
        (tmp_path / "d" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "d" / name).write_bytes(content)
    folder = text_folder("train", path=tmp_path / "d")
    stored = text_shards("train", path=write_tar(tmp_path / "t.tar", TEXTS))
    assert [stored.read(i) for i in range(4)] == [folder.read(i) for i in range(4)]
    assert stored.fingerprint == folder.fingerprint and stored.targets.tolist() == folder.targets.tolist()
    assert stored.groups.tolist() == folder.groups.tolist() == [0, 1, 2, 2]
    assert stored.name(0) == f"{tmp_path}/t.tar/bad/1.txt" and stored.key(0) == folder.key(0)


def test_labels_in_files_and_empty_texts(tmp_path):
    members = {"1.txt": b"one", "1.cls": b"x", "2.txt": b" ", "2.cls": b"x", "3.txt": b"three", "3.cls": b"y"}
    path = write_tar(tmp_path / "t.tar", members)
    with pytest.raises(BadData, match=r"t\.tar: 1 of 3 texts is empty: 2.txt; fill them in"):
        text_shards("train", path=path)
    samples = text_shards("train", path=path, empty="skip")
    assert samples.targets.tolist() == [0, 1] and samples.name(1) == f"{path}/3.txt"


def test_texts_that_are_not_utf_8_are_named(tmp_path):
    path = write_tar(tmp_path / "t.tar", {"a/1.txt": b"caf\xe9", "b/2.txt": b"x"})
    with pytest.raises(BadData, match=r"t.tar/a/1.txt: the text is not UTF-8 at byte 4"):
        text_shards("train", path=path)
