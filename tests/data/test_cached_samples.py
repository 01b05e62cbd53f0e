"""What the caches of all modalities share: the facts of the wrapped samples, and files that are whole or not there."""

import errno
import tempfile
from pathlib import Path

import numpy as np
import pytest

from ftaug.data.cached_samples import CachedSamples, stamp_of
from ftaug.errors import StorageError
from ftaug.interfaces.data import Task


class Wrapped:
    task, targets, groups = Task(("a", "b")), np.array([0, 1]), np.array([3, 4])
    places, fingerprint, notes = np.array([[0, 1], [1, 2]]), "x", ("note",)

    def __len__(self):
        return 2

    def name(self, index):
        return f"sample {index}"


def test_facts_are_those_of_the_wrapped_samples(tmp_path):
    wrapped = Wrapped()
    cached = CachedSamples(wrapped, tmp_path, True)
    for fact in ("task", "targets", "groups", "places", "fingerprint", "notes"):
        assert getattr(cached, fact) is getattr(wrapped, fact)
    assert (len(cached), cached.name(1)) == (2, "sample 1")


def test_a_file_is_whole_or_not_there(tmp_path, monkeypatch):
    cached = CachedSamples(Wrapped(), tmp_path / "cache", True)
    cached.keep(cached.file(1234), b"head", b"content")
    assert Path(cached.file(1234)) == tmp_path / "cache" / "1" / "1234"
    assert Path(cached.file(1234)).read_bytes() == b"headcontent"

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", full)
    with pytest.raises(StorageError, match="cannot cache decoded samples: No space left on device; free some space"):
        cached.keep(cached.file(1), b"head", b"content")
    CachedSamples(Wrapped(), tmp_path / "cache", False).keep(cached.file(1), b"head", b"content")
    assert not Path(cached.file(1)).exists()


def test_what_is_no_file_has_no_stamp(tmp_path):
    (tmp_path / "file").write_bytes(b"123")
    assert stamp_of(tmp_path / "file")[0] == 3
    assert stamp_of(tmp_path / "none") == stamp_of(object()) == (0, 0)
