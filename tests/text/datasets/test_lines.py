"""Texts without labels, one a line."""

import pytest

from ftaug.errors import BadData, MissingInput
from ftaug.text.datasets.lines import text_lines


def test_each_line_that_is_not_blank_is_a_text(tmp_path):
    (tmp_path / "a.txt").write_bytes("one\r\n\n two \nthr\u00e9e".encode())
    (tmp_path / "b.txt").write_text("four\n")
    (tmp_path / "c.csv").write_text("text\nfive\n")
    samples = text_lines("train", path=tmp_path)
    assert [samples.read(index).first for index in range(len(samples))] == ["one", " two ", "thr\u00e9e", "four"]
    assert [samples.name(index) for index in (0, 1, 2, 3)] == [
        f"{tmp_path}/a.txt:1",
        f"{tmp_path}/a.txt:3",
        f"{tmp_path}/a.txt:4",
        f"{tmp_path}/b.txt:1",
    ]
    assert samples.task.classes == () and samples.notes == ("1 blank line left out",)
    alone = text_lines("train", path=tmp_path / "b.txt")
    assert len(alone) == 1 and alone.fingerprint != samples.fingerprint


def test_what_cannot_be_read_is_named(tmp_path):
    (tmp_path / "a.txt").write_text("\n \n")
    with pytest.raises(BadData, match="holds no text"):
        text_lines("train", path=tmp_path)
    (tmp_path / "a.txt").write_bytes(b"caf\xe9\n")
    with pytest.raises(BadData, match=r"a\.txt: the text is not UTF-8 at byte 4"):
        text_lines("train", path=tmp_path)
    (tmp_path / "a.txt").unlink()
    with pytest.raises(BadData, match=r"holds no \.txt files"):
        text_lines("train", path=tmp_path)
    with pytest.raises(MissingInput, match="no file or folder"):
        text_lines("train", path=tmp_path / "none")
