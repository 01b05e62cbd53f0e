"""Files below a folder without classes."""

import os

import pytest

from ftaug.data.folders.loose import loose_files
from ftaug.data.folders.scan import Kind
from ftaug.errors import BadData, MissingInput

PICTURES = Kind("picture", (b".png", b".jpg"))


def test_all_files_below_the_folder_in_the_order_of_their_paths(tmp_path):
    for name in ("b.png", "a.JPG", "deep/er/c.png", ".hidden.png", "notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    os.link(tmp_path / "b.png", tmp_path / "z.png")
    files = loose_files(tmp_path, PICTURES)
    assert len(files.paths) == 4
    names = [os.fsdecode(files.paths[index]) for index in range(len(files.paths))]
    assert names == ["a.JPG", "b.png", "z.png", "deep/er/c.png"]
    assert files.keys[1] == files.keys[2] and len(set(files.keys.tolist())) == 3
    assert files.notes == ("ignored: .txt (1), hidden (1)",)
    (tmp_path / "b.png").write_bytes(b"other")
    assert loose_files(tmp_path, PICTURES).fingerprint == files.fingerprint  # of as many bytes
    (tmp_path / "b.png").write_bytes(b"longer than before")
    assert loose_files(tmp_path, PICTURES).fingerprint != files.fingerprint


def test_a_folder_without_files_is_an_error(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(BadData, match=r"holds no pictures \(\.png or \.jpg\); it holds \.txt \(1\)"):
        loose_files(tmp_path, PICTURES)
    with pytest.raises(MissingInput, match=r"no folder .*/none"):
        loose_files(tmp_path / "none", PICTURES)
    with pytest.raises(MissingInput, match=r"notes\.txt is a file, not a folder"):
        loose_files(tmp_path / "notes.txt", PICTURES)
