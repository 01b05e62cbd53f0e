"""Compute a function of many numbers in worker processes, without torch."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from itertools import chain
from typing import Any, TypeVar

from ftaug.config.experiment import Experiment
from ftaug.engine.system.cpu_count import usable_cores
from ftaug.engine.system.signals import ignore_in_worker
from ftaug.errors import OutOfMemory

Result = TypeVar("Result")

CHUNK = 32
"""Number of results that a worker returns together."""

_functions: list[Callable[[int], Any]] = []
"""The function of this worker process."""


def worker_count(experiment: Experiment) -> int:
    """Return the number of worker processes: `data.workers`, or for `auto` one a core, at most 8."""
    setting = experiment.data.workers
    return min(8, usable_cores()) if isinstance(setting, str) else setting


def parallel(function: Callable[[int], Result], count: int, workers: int) -> Iterator[Result]:
    """Yield the values of a function at 0 … count − 1, in order; with 0 workers they are computed in this process.

    Workers are forked where that is possible, so that they share the memory of what the function holds.
    """
    if workers == 0 or count <= CHUNK:
        yield from map(function, range(count))
        return
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
    context = multiprocessing.get_context(method)
    starts = range(0, count, CHUNK)
    with ProcessPoolExecutor(workers, context, _start_worker, (function,)) as pool:
        try:
            yield from chain.from_iterable(pool.map(partial(_compute, count), starts))
        except BrokenProcessPool:
            text = "a worker process died, probably because memory ran out: try fewer data.workers"
            raise OutOfMemory(text) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _start_worker(function: Callable[[int], Any]) -> None:
    ignore_in_worker()
    _functions[:] = [function]


def _compute(count: int, start: int) -> list[Any]:
    return [_functions[0](index) for index in range(start, min(count, start + CHUNK))]
