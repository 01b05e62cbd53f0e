"""Class folders of texts."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from ftaug.errors import BadData, MissingInput
from ftaug.text.datasets.folder import text_folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def fill(root: Path, **files: str | bytes) -> Path:
    for name, content in (files or {"good/1.txt": "fine\r\n", "good/deep/2.TXT": "é\0", "bad/1.txt": "poor"}).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def test_classes_targets_names_and_texts(tmp_path):
    samples = text_folder("train", path=fill(tmp_path))
    assert samples.task.classes == ("bad", "good") and samples.targets.tolist() == [0, 1, 1]
    assert samples.targets.dtype == np.int64
    assert [samples.read(i).first for i in range(3)] == ["poor", "fine\r\n", "é\0"]
    assert all(samples.read(i).second is None for i in range(3))
    assert samples.name(2) == str(tmp_path / "good" / "deep" / "2.TXT") and samples.notes == ()
    again = pickle.loads(pickle.dumps(samples))
    assert again.read(2) == samples.read(2) and again.fingerprint == samples.fingerprint


def test_hidden_and_other_files_are_ignored_and_counted(tmp_path):
    fill(tmp_path)
    fill(tmp_path, **{"good/.x.txt": "no", "good/p.jpg": "no", "loose.txt": "no"})
    assert text_folder("train", path=tmp_path).notes == (
        "1 file hidden or of the system ignored",
        "1 file of another kind ignored: .jpg (1)",
        "1 text beside the class folders ignored",
    )


def test_the_fingerprint_follows_the_content(tmp_path):
    before = text_folder("train", path=fill(tmp_path)).fingerprint
    (tmp_path / "bad" / "1.txt").write_text("Poor")  # as long as before
    assert text_folder("train", path=tmp_path).fingerprint != before


def test_the_mark_of_some_editors_is_no_text(tmp_path):
    samples = text_folder("train", path=fill(tmp_path, **{"a/1.txt": b"\xef\xbb\xbfone", "b/1.txt": "two"}))
    assert samples.read(0).first == "one"


def test_files_that_are_not_utf8_are_named_and_counted(tmp_path):
    files = {f"a/{i}.txt": b"caf\xe9" for i in range(7)} | {"b/1.txt": "two".encode("utf-16"), "b/2.txt": "three"}
    with pytest.raises(BadData) as caught:
        text_folder("train", path=fill(tmp_path, **files))
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{tmp_path}/a/0.txt: the text is not UTF-8 at byte 4; save the file as UTF-8"
    assert len(lines) == 6 and lines[5] == f"{tmp_path}: 3 more files like these"
    with pytest.raises(BadData, match=r"b/1\.txt: the text is UTF-16; save the file as UTF-8"):
        text_folder("train", path=fill(tmp_path, **{f"a/{i}.txt": "x" for i in range(7)}))


def test_empty_files(tmp_path):
    fill(tmp_path, **{"a/1.txt": " \n", "a/2.txt": "x", "b/1.txt": "y", "b/2.txt": ""})
    with pytest.raises(BadData, match=r"2 of 4 texts are empty: a/1\.txt, b/2\.txt; .*empty: skip"):
        text_folder("train", path=tmp_path)
    samples = text_folder("train", path=tmp_path, empty="skip")
    assert [samples.read(i).first for i in range(2)] == ["x", "y"] and samples.targets.tolist() == [0, 1]
    assert [os.path.relpath(samples.name(i), tmp_path) for i in range(2)] == ["a/2.txt", "b/1.txt"]
    assert samples.notes == ("2 empty texts left out: a/1.txt, b/2.txt",)
    (tmp_path / "b" / "1.txt").write_text("")
    with pytest.raises(BadData, match="all texts of 'b' are empty"):
        text_folder("train", path=tmp_path, empty="skip")


def test_what_is_refused_of_folders(tmp_path):
    with pytest.raises(MissingInput, match="has no folder 'textz'; did you mean 'texts'"):
        fill(tmp_path / "texts")
        text_folder("train", path=tmp_path / "textz")
    with pytest.raises(MissingInput, match="is a file; text_folder needs a folder"):
        text_folder("train", path=tmp_path / "texts" / "bad" / "1.txt")
    fill(tmp_path / "splits" / "train")
    fill(tmp_path / "splits" / "test")
    with pytest.raises(
        BadData, match=r"holds the splits 'test', 'train', not classes; .*train: \{text_folder: \{path:"
    ):
        text_folder("train", path=tmp_path / "splits")
    with pytest.raises(
        BadData, match=r"holds no class folders with texts \(expected .*/<class>/<text>\); it holds 1 text"
    ):
        text_folder("train", path=fill(tmp_path / "loose", **{"1.txt": "x"}))
    (tmp_path / "texts" / "none").mkdir()
    with pytest.raises(BadData, match="classes without a text: 'none'"):
        text_folder("train", path=tmp_path / "texts")
