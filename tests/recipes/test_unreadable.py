from pathlib import Path

import pytest

from ftaug.errors import BadData
from ftaug.recipes.unreadable import NAMED, report_unreadable, with_name


def test_the_first_are_named_and_all_are_counted(capsys):
    report_unreadable([f"{n}.wav: is damaged" for n in range(7)], 13, "sounds", Path("my birds.yaml"))
    lines = capsys.readouterr().err.splitlines()
    assert lines[:-1] == [f"not counted: {n}.wav: is damaged" for n in range(NAMED)]
    assert lines[-1] == "7 of 20 sounds checked cannot be read; to list all: ftaug inspect 'my birds.yaml' --read"


def test_nothing_is_said_if_all_can_be_read(capsys):
    report_unreadable([], 3, "pictures", Path("a.yaml"))
    assert capsys.readouterr().err == ""


def test_none_that_can_be_read_is_an_error():
    with pytest.raises(BadData, match=r"none of the pictures checked can be read, such as a\.png: is damaged"):
        report_unreadable(["a.png: is damaged", "b.png: is damaged"], 0, "pictures", Path("a.yaml"))


def test_a_sample_is_named_once():
    assert with_name("a.png", BadData("a.png: is damaged")) == "a.png: is damaged"
    assert with_name("a.png", BadData("is damaged")) == "a.png: is damaged"
