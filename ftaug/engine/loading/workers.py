"""The processes that prepare batches: how many there are, and why one is no more."""

import multiprocessing
import signal
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from ftaug.engine.system import malloc
from ftaug.engine.system.cpu_count import usable_cores
from ftaug.engine.system.signals import ignore_in_worker
from ftaug.errors import FtaugError, OutOfMemory, StorageError

PATIENCE = 60
"""Seconds after which processes that give nothing are looked at."""

UTIME, STIME = 11, 12
"""Where /proc/PID/stat has the time in the process and in the system, from the state on (proc(5))."""


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
            timeout=PATIENCE if workers else 0,
        )
        if workers:
            malloc.give_back()
        answers = iter(loader)
    with watched() as running:
        yield from _awaited(answers, running)


def _awaited(answers: Iterator[Any], running: Sequence[BaseProcess]) -> Iterator[Any]:
    """What comes, be it ever so late, as long as the processes that make it do something."""
    spent = _computed(running)
    while True:
        try:
            item = next(answers)
        except StopIteration:
            return
        except RuntimeError as error:
            if not str(error).startswith("DataLoader timed out"):  # what a sample raised may say that too
                raise
            before, spent = spent, _computed(running)
            if spent == before and all(process.is_alive() for process in running):
                raise _hang(running) from error
            continue
        yield item


def _computed(running: Iterable[BaseProcess]) -> float:
    """The processor time that processes have taken, in ticks; where the system does not say, as if they had worked."""
    try:
        fields = [Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split() for process in running]
    except OSError:
        return time.monotonic()
    return sum(int(each[UTIME]) + int(each[STIME]) for each in fields)


def _hang(running: Iterable[BaseProcess]) -> FtaugError:
    """The error for processes that do nothing; they are ended, for a stopped one would be waited for."""
    for process in running:
        with suppress(RuntimeError):  # PyTorch's, that it was killed
            process.kill()
            process.join()
    return StorageError(
        f"no batch came for {PATIENCE} seconds, and the processes that prepare them do nothing: does the data's "
        "storage answer? With data.workers=0 the run goes on without these processes, and shows where it waits"
    )


@contextmanager
def watched() -> Iterator[Sequence[BaseProcess]]:
    """The processes that run by now; where one of them dies, raise what a person can do about it."""
    running = multiprocessing.active_children()
    try:
        yield running
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
