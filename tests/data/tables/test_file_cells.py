"""Cells that name files: their paths below a root, and what is refused."""

import os

import pytest

from ftaug.data.tables.file_cells import file_status, path_inside
from ftaug.errors import BadData, MissingInput


def test_paths_are_relative_to_the_root(tmp_path):
    root = os.fsencode(tmp_path)
    assert path_inside("a/b.wav", root, "sound") == b"a/b.wav"
    assert path_inside("./a//x/../b.wav", root, "sound") == b"a/b.wav"
    assert path_inside(str(tmp_path / "a" / "b.wav"), root, "sound") == b"a/b.wav"


def test_absolute_paths_through_a_link_are_inside(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert path_inside(str(tmp_path / "link" / "b.wav"), os.fsencode(tmp_path / "real"), "sound") == b"b.wav"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the sound's path is empty"),
        ("../b.wav", "the sound's path '../b.wav' leads out of the folder; set root to a folder that holds all sounds"),
        ("a\0b", "leads out of the folder"),
    ],
)
def test_says_what_is_wrong_with_a_path(tmp_path, text, said):
    with pytest.raises(BadData) as caught:
        path_inside(text, os.fsencode(tmp_path), "sound")
    assert said in str(caught.value)


def test_says_what_is_wrong_with_a_file(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(MissingInput, match=r"no sound b\.wav in .*: No such file"):
        file_status(tmp_path, b"b.wav", "sound")
    with pytest.raises(BadData, match="a is not a file"):
        file_status(tmp_path, b"a", "sound")
