"""Exports that are killed, in the way of something, or not writable: complete under their names or not there."""

import errno
import os
import signal
from contextlib import suppress

import pytest

from ftaug.engine.system import storage
from ftaug.errors import RunFolderTaken
from ftaug.runs.export import folder as export_folder
from ftaug.runs.export.folder import open_exports

FILES = ("pets.onnx", "tokenizer.json", "inner/config.json")
RECORD = {"format": "onnx"}


def write(run, text, target="onnx"):
    """Export files that all hold the text."""
    with open_exports(run) as exports:
        exports.check(target)
        with exports.unfinished(target) as folder:
            for name in FILES:
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_text(text)
            exports.publish(folder, target, RECORD)


def content(run, target="onnx"):
    """What all files of a target hold, if it is there; its record lists them."""
    folder = run / "exports" / target
    if not os.path.lexists(folder):
        return None
    assert sorted(export_folder._recorded_files(folder)) == sorted(FILES)
    (text,) = {(folder / name).read_text() for name in FILES}
    return text


def names(run):
    return sorted(path.name for path in (run / "exports").iterdir())


CALLS = [
    (storage.os, "fsync"),
    (export_folder.Path, "mkdir"),
    (export_folder.Path, "rename"),
    (export_folder, "remove"),
    (export_folder, "sync_folder"),
]


def killed_at(step, run, text):
    """Export in a child that is killed before the given call that changes the disk; whether it came so far."""
    if child := os.fork():
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    count = 0

    def counted(function):
        def call(*arguments, **keywords):
            nonlocal count
            count += 1
            if count == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **keywords)

        return call

    for owner, name in CALLS:
        setattr(owner, name, counted(getattr(owner, name)))
    with suppress(BaseException):
        write(run, text)
    os._exit(0)


@pytest.mark.parametrize("before", [None, "old"])
def test_a_kill_at_any_step_leaves_a_whole_target_and_the_next_export_tidies_up(tmp_path, before):
    seen, step = set(), 0
    while True:
        step += 1
        run = tmp_path / str(step)
        run.mkdir()
        if before:
            write(run, before)
        was_killed = killed_at(step, run, "new")
        left = content(run)
        seen.add(left)
        assert left in (before, None, "new")
        with open_exports(run):  # which another target may be the reason for
            assert content(run) in ("new", before)
            assert content(run) == (left or before)
            assert [name for name in names(run) if name != "onnx"] == [".lock"]
        write(run, "newer")
        assert (content(run), names(run)) == ("newer", [".lock", "onnx"])
        if not was_killed:
            break
    assert left == "new"
    assert step > 15
    assert seen == {before, None, "new"}


def test_a_failing_export_leaves_what_was_there(tmp_path):
    write(tmp_path, "old")
    with pytest.raises(ZeroDivisionError), open_exports(tmp_path) as exports, exports.unfinished("onnx") as folder:
        (folder / "pets.onnx").write_text("half")
        raise ZeroDivisionError
    assert (content(tmp_path), names(tmp_path)) == ("old", [".lock", "onnx"])


def test_two_exports_of_a_run_at_once_are_refused(tmp_path):
    with (
        open_exports(tmp_path),
        pytest.raises(RunFolderTaken, match=r"exports is in use by process \d+ .*; wait$"),
        open_exports(tmp_path),
    ):
        pass


def test_a_file_of_somebody_else_is_neither_replaced_nor_deleted(tmp_path):
    write(tmp_path, "old")
    mine = tmp_path / "exports" / "onnx" / "inner" / "notes.txt"
    mine.write_text("mine")
    with pytest.raises(RunFolderTaken, match=r"inner/notes\.txt: was not written by `ftaug export`, .* move it"):
        write(tmp_path, "new")
    assert mine.read_text() == "mine"
    mine.unlink()
    write(tmp_path, "new")
    assert content(tmp_path) == "new"


@pytest.mark.parametrize("kind", ["file", "link", "folder of something else"])
def test_a_name_that_is_taken_is_refused(tmp_path, kind):
    place = tmp_path / "exports" / "onnx"
    place.parent.mkdir()
    if kind == "file":
        place.write_text("mine")
    elif kind == "link":
        (tmp_path / "elsewhere").mkdir()
        place.symlink_to(tmp_path / "elsewhere")
    else:
        place.mkdir()
        (place / "mine").write_text("mine")
    with pytest.raises(RunFolderTaken, match=r"move it elsewhere"):
        write(tmp_path, "new")
    assert names(tmp_path) == [".lock", "onnx"]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_folder_that_is_not_writable_is_named(tmp_path, monkeypatch, number):
    def refuse(path, *arguments):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(export_folder.Path, "mkdir", refuse)
    message = f"exports: cannot be written: {os.strerror(number)}; .*: make the folder writable"
    with pytest.raises(RunFolderTaken, match=message):
        write(tmp_path, "new")


def test_exports_that_are_a_file_are_refused(tmp_path):
    (tmp_path / "exports").write_text("mine")
    with pytest.raises(RunFolderTaken, match="exports: is not a regular folder"):
        write(tmp_path, "new")
    assert (tmp_path / "exports").read_text() == "mine"
