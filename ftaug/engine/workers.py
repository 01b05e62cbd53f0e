"""The processes that prepare batches: how many there are, and why one is no more."""

import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from ftaug.engine.cores import usable_cores
from ftaug.errors import FtaugError, OutOfMemory


def processes(asked: int | str) -> int:
    """How many processes prepare samples: as many as asked for, or, for `auto`, by the machine."""
    return max(1, min(8, usable_cores() - 1)) if isinstance(asked, str) else asked


@contextmanager
def watched() -> Iterator[None]:
    """Where one of the processes that run by now dies, raise what a person can do about it."""
    running = multiprocessing.active_children()
    try:
        yield
    except RuntimeError as error:
        if exit_code := next((one.exitcode for one in running if one.exitcode), None):
            raise _death(exit_code) from error
        raise


def _death(exit_code: int) -> FtaugError:
    """The error for a process that ended with a code, below 0 by a signal."""
    if exit_code == -signal.SIGKILL:
        return OutOfMemory(
            "a process that prepares batches was killed, as the system does when memory runs out: "
            "try fewer data.workers or a smaller data.batch_size"
        )
    if exit_code == -signal.SIGBUS:
        return OutOfMemory(
            "a process that prepares batches found the shared memory (/dev/shm) full: "
            "make it larger (docker run --shm-size=2g), or set data.workers=0"
        )
    how = signal.Signals(-exit_code).name if exit_code < 0 else f"exit code {exit_code}"
    return FtaugError(
        f"a process that prepares batches crashed ({how}): "
        "with data.workers=0 the run goes on without one, and shows where it crashes"
    )
