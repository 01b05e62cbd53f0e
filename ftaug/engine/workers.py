"""The processes that prepare batches: how many there are, and why one is no more."""

import multiprocessing
import signal
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from ftaug.engine import heap
from ftaug.engine.cores import usable_cores
from ftaug.engine.signals import ignore_in_worker
from ftaug.errors import FtaugError, OutOfMemory


def processes(asked: int | str) -> int:
    """How many processes prepare samples: as many as asked for, or, for `auto`, by the machine."""
    return max(1, min(8, usable_cores() - 1)) if isinstance(asked, str) else asked


def served(
    source: Dataset[Any],
    requests: Iterable[Any],
    workers: int,
    *,
    pin: bool = False,
    start: str | None = None,
    collate: Callable[[Any], Any] | None = None,
) -> Iterator[Any]:
    """What a source answers to requests, in their order; made ahead of time where there are workers.

    `start` says how these start: by fork, where there is that, unless set. Raises what a person can do about one that
    died.
    """
    forks = "fork" in multiprocessing.get_all_start_methods()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="This DataLoader will create")  # more than there are cores
        loader = DataLoader(
            source,
            sampler=requests,
            batch_size=None,
            num_workers=workers,
            pin_memory=pin,
            collate_fn=collate,
            worker_init_fn=ignore_in_worker if workers else None,
            multiprocessing_context=(start or ("fork" if forks else None)) if workers else None,
            generator=torch.Generator().manual_seed(0),
        )
        if workers:
            heap.give_back()
        answers = iter(loader)
    with watched():
        yield from answers


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
