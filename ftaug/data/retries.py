"""Read files of network file systems, whose errors may be temporary."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable

from ftaug.errors import MissingInput, StorageError

_RETRIES = 3


def read_with_retries(name: str, read: Callable[[], bytes]) -> bytes:
    """Return what `read` returns; repeat temporary errors of the disk or network three times.

    Raises MissingInput or StorageError with the name of the file.
    """
    for delay in [0.1 * 4**attempt for attempt in range(_RETRIES)] + [None]:
        try:
            return read()
        except FileNotFoundError:
            raise MissingInput(f"{name}: the file has been deleted since the start") from None
        except PermissionError:
            raise MissingInput(f"{name}: no permission to read the file") from None
        except OSError as error:
            if delay is None or error.errno not in (errno.EIO, errno.ESTALE, errno.ETIMEDOUT):
                raise StorageError(f"{name}: cannot read: {error.strerror}") from error
            time.sleep(delay)
    raise AssertionError("the last try returns or raises")
