import errno

import pytest

from ftaug.data import retries
from ftaug.data.retries import read_with_retries
from ftaug.errors import MissingInput, StorageError


@pytest.fixture
def delays(monkeypatch):
    waited = []
    monkeypatch.setattr(retries.time, "sleep", waited.append)
    return waited


def failing(*numbers):
    """A read that fails with these errors, one after another, and then returns."""
    errors = iter(numbers)

    def read():
        if (number := next(errors, None)) is not None:
            raise OSError(number, "failed")
        return b"content"

    return read


def test_temporary_errors_are_tried_again_after_growing_delays(delays):
    assert read_with_retries("f", failing(errno.EIO, errno.ESTALE, errno.ETIMEDOUT)) == b"content"
    assert delays == pytest.approx([0.1, 0.4, 1.6])


def test_the_fourth_error_and_lasting_ones_are_raised_at_once(delays):
    with pytest.raises(StorageError, match="f: cannot read: failed"):
        read_with_retries("f", failing(*[errno.EIO] * 4))
    assert len(delays) == 3
    with pytest.raises(StorageError):
        read_with_retries("f", failing(errno.ENXIO))
    with pytest.raises(MissingInput, match="deleted since the start"):
        read_with_retries("f", failing(errno.ENOENT))
    with pytest.raises(MissingInput, match="no permission"):
        read_with_retries("f", failing(errno.EACCES))
    assert len(delays) == 3
