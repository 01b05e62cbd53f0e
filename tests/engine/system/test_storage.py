import errno
import os
import time
from pathlib import Path

import pytest
from safetensors import SafetensorError

from ftaug.engine.system import storage
from ftaug.errors import FtaugError, StorageError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_replace_leaves_the_old_file_when_writing_fails(tmp_path, monkeypatch):
    path = tmp_path / "file.json"
    storage.replace(path, b"old")

    def full(descriptor, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        storage.replace(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file.json"]
    storage.replace(path, b"new")
    assert path.read_bytes() == b"new"


def test_replace_ignores_what_a_crash_left(tmp_path):
    (tmp_path / f".tmp-file-{os.getpid()}").write_bytes(b"half")
    storage.replace(tmp_path / "file", b"whole")
    assert names(tmp_path) == ["file"]


def test_replace_removes_what_was_left_more_than_an_hour_ago(tmp_path):
    for name in (".tmp-file-1", ".tmp-file-2", ".tmp-other-1"):
        (tmp_path / name).write_bytes(b"half")
    for name in (".tmp-file-1", ".tmp-other-1"):
        os.utime(tmp_path / name, (0, time.time() - 3700))
    storage.replace(tmp_path / "file", b"whole")
    assert names(tmp_path) == [".tmp-file-2", ".tmp-other-1", "file"]


def test_short_writes_are_continued(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:7]))
    data = os.urandom(1000)
    storage.write_durable(tmp_path / "file", data)
    assert (tmp_path / "file").read_bytes() == data


def test_write_durable_never_overwrites(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        storage.write_durable(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"


def test_replace_link_is_relative_and_replaces(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        storage.replace_link(tmp_path / "best", Path(name))
        assert (tmp_path / "best").readlink() == Path(name)
    assert names(tmp_path) == ["a", "b", "best"]


def test_a_folder_that_cannot_be_synced_is_accepted_but_a_failing_disk_is_not(tmp_path, monkeypatch):
    def fail(number):
        def fsync(descriptor):
            raise OSError(number, os.strerror(number))

        return fsync

    monkeypatch.setattr(os, "fsync", fail(errno.EINVAL))
    storage.sync_folder(tmp_path)
    monkeypatch.setattr(os, "fsync", fail(errno.EIO))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        storage.sync_folder(tmp_path)


@pytest.mark.parametrize(
    ("number", "advice"),
    [(errno.ENOSPC, "free some space"), (errno.EDQUOT, "free some space"), (errno.EIO, "check the disk")],
)
def test_storage_errors_say_what_to_do(number, advice):
    with (
        pytest.raises(StorageError, match=f"cannot save it: .*{advice}") as caught,
        storage.storage_errors("cannot save it"),
    ):
        raise OSError(number, os.strerror(number))
    assert caught.value.exit_code == 74
    assert "\n" not in str(caught.value)


def wrapped(number):
    """The system's error as libraries pass it on: quoted by Rust, as the cause, or in words."""
    quoted = SafetensorError(f"I/O error: {os.strerror(number)} (os error {number})")
    caused = RuntimeError("cannot serialize the model")
    caused.__cause__ = OSError(number, os.strerror(number))
    return quoted, caused, RuntimeError(f"writing failed: [Errno {number}] {os.strerror(number)}")


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOSPC, 74), (errno.EDQUOT, 74), (errno.EIO, 74), (errno.EACCES, 73), (errno.EROFS, 73)],
)
def test_a_library_that_wraps_the_systems_error_does_not_hide_it(number, code):
    for error in (OSError(number, os.strerror(number)), *wrapped(number)):
        with pytest.raises(FtaugError, match=f"cannot save it: {os.strerror(number)};") as caught:  # noqa: SIM117
            with storage.storage_errors("cannot save it"):
                raise error
        assert caught.value.exit_code == code


def test_a_defect_is_no_error_of_the_disk():
    with pytest.raises(ValueError, match="defect"), storage.storage_errors("cannot save it"):
        try:
            Path("/nowhere/at all").read_bytes()
        except FileNotFoundError:
            raise ValueError("defect")  # noqa: B904
