"""Data loader workers: their number, prefetching, and clear errors when one hangs or dies."""

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
"""Seconds without a batch after which the workers are checked for activity."""

UTIME, STIME = 11, 12
"""Fields of /proc/PID/stat with user and system CPU time, counted from the state (proc(5))."""


def processes(setting: int | str) -> int:
    """Return the number of data loader workers: `data.workers`, or for `auto` by the number of cores, at most 8."""
    return max(1, min(8, usable_cores() - 1)) if isinstance(setting, str) else setting


def load_items(
    source: Dataset[Any],
    requests: Iterable[Any],
    workers: int,
    *,
    pin: bool = False,
    start: str | None = None,
    collate: Callable[[Any], Any] | None = None,
) -> Iterator[Any]:
    """Iterate the items of a dataset for requests, in their order, prefetched by workers (a torch DataLoader).

    `start` is the multiprocessing start method, by default fork where it exists. If a worker dies, raises an error that
    says what to do: OutOfMemory or FtaugError; StorageError if all of them hang.
    """
    forks = "fork" in multiprocessing.get_all_start_methods()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="This DataLoader will create")  # more workers than cores
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
        items = iter(loader)
    with watched() as running:
        yield from _wait_for_items(items, running)


def _wait_for_items(items: Iterator[Any], running: Sequence[BaseProcess]) -> Iterator[Any]:
    """Yield worker results; fail only if all workers are idle."""
    cpu_time = _cpu_time(running)
    while True:
        try:
            item = next(items)
        except StopIteration:
            return
        except RuntimeError as error:
            if not str(error).startswith("DataLoader timed out"):  # which the error of a sample may say too
                raise
            # A slow batch is no hang: workers that used CPU time since the last timeout are still loading.
            before, cpu_time = cpu_time, _cpu_time(running)
            if cpu_time == before and all(process.is_alive() for process in running):
                raise _hang(running) from error
            continue
        yield item


def _cpu_time(running: Iterable[BaseProcess]) -> float:
    """Return the CPU time of processes, in ticks; without /proc a value that always increases."""
    try:
        fields = [Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split() for process in running]
    except OSError:
        return time.monotonic()
    return sum(int(each[UTIME]) + int(each[STIME]) for each in fields)


def _hang(running: Iterable[BaseProcess]) -> FtaugError:
    """Build the error for workers that hang, and kill them: shutting down the DataLoader would wait for them."""
    for process in running:
        with suppress(RuntimeError):  # from PyTorch's SIGCHLD handler: a worker was killed
            process.kill()
            process.join()
    return StorageError(
        f"no batch arrived for {PATIENCE} seconds, and the worker processes are idle: does the data's "
        "storage respond? With data.workers=0 the run continues without worker processes and shows where it waits"
    )


@contextmanager
def watched() -> Iterator[Sequence[BaseProcess]]:
    """Context manager with the child processes; if one of them died, raises an error that says what to do."""
    running = multiprocessing.active_children()
    try:
        yield running
    except RuntimeError as error:
        if exit_code := next((process.exitcode for process in running if process.exitcode), None):
            raise _death(exit_code) from error
        raise


def _death(exit_code: int) -> FtaugError:
    """Build the error for a worker's exit code; below 0 it is the number of a signal."""
    if exit_code == -signal.SIGKILL:
        return OutOfMemory(
            "a worker process was killed, probably because memory ran out: "
            "try fewer data.workers or a smaller data.batch_size"
        )
    if exit_code == -signal.SIGBUS:
        return OutOfMemory(
            "a worker process found the shared memory (/dev/shm) full: "
            "make it larger (docker run --shm-size=2g), or set data.workers=0"
        )
    how = signal.Signals(-exit_code).name if exit_code < 0 else f"exit code {exit_code}"
    return FtaugError(
        f"a worker process crashed ({how}): with data.workers=0 the run goes on without one, and shows where it crashes"
    )
