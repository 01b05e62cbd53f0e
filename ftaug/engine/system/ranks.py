"""Communication between the processes of a run: sums in a fixed order, broadcasts and votes (torch.distributed)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.rendezvous import rendezvous as open_store

from ftaug.config.strict_json import dumps
from ftaug.engine.system.world import World, rendezvous
from ftaug.errors import RankLost, Unavailable

TIMEOUT = timedelta(minutes=10)
"""Time to wait for another process: it may be evaluating, or saving to a slow disk."""

LOST = "another process of the run ended, or did not respond for 10 minutes"

START = timedelta(minutes=5)
"""Time to wait for all processes to start."""


@dataclass(frozen=True)
class Ranks:
    """The processes of a run; with a single one every method returns at once."""

    world: World = field(default_factory=World)

    @property
    def size(self) -> int:
        """The number of processes."""
        return self.world.size

    @property
    def rank(self) -> int:
        """The rank of this process."""
        return self.world.rank

    def broadcast(self, value: Any) -> Any:
        """Return the value of rank 0, which JSON can hold."""
        if self.size == 1:
            return value
        content = dumps(value).encode() if self.rank == 0 else b""
        length = torch.tensor([len(content)])
        with lost_ranks():
            dist.broadcast(length, 0)
            data = torch.zeros(int(length), dtype=torch.uint8)
            if self.rank == 0:
                data = torch.frombuffer(bytearray(content), dtype=torch.uint8)
            dist.broadcast(data, 0)
        return json.loads(data.numpy().tobytes())

    def call_first(self, function: Callable[[], Any]) -> Any:
        """Call a function on rank 0 and return its result, which JSON can hold, on all."""
        return self.broadcast(function() if self.rank == 0 else None)

    def vote(self, choices: Sequence[str], choice: str | None) -> str | None:
        """Return the first of the choices that any process makes, the same on all; None if none makes one."""
        if self.size == 1:
            return choice
        votes = torch.tensor([each == choice for each in choices], dtype=torch.int32)
        with lost_ranks():
            dist.all_reduce(votes)
        return next((each for each, count in zip(choices, votes.tolist(), strict=True) if count), None)

    def least(self, value: int) -> int:
        """Return the minimum over all processes."""
        return min(int(each) for each in self.gather(torch.tensor([value])))

    def any(self, condition: bool) -> bool:
        """Return whether a condition holds on any process."""
        return any(bool(each) for each in self.gather(torch.tensor([condition])))

    def merge(self, rows: np.ndarray | None, count: int) -> np.ndarray | None:
        """Combine arrays (count, columns) of float32 or float64, bit for bit; returns the combined array on all.

        A row is zero on all processes but one. None is an array without rows.
        """
        if self.size == 1:
            return rows
        shape = [0, 0] if rows is None else [rows.shape[1], rows.itemsize]
        columns, itemsize = torch.stack(self.gather(torch.tensor(shape))).amax(dim=0).tolist()
        if rows is None:
            rows = np.zeros((count, columns), np.float32 if itemsize == 4 else np.float64)
        bits = torch.from_numpy(rows.view(np.int32 if itemsize == 4 else np.int64))
        with lost_ranks():
            dist.all_reduce(bits)
        return rows

    def gather(self, values: Tensor) -> list[Tensor]:
        """Return the values of all processes, of equal shape, in the order of the ranks."""
        if self.size == 1:
            return [values]
        received = [torch.empty_like(values) for _ in range(self.size)]
        with lost_ranks():
            dist.all_gather(received, values.contiguous())
        return received

    def tree_sum(self, values: Tensor) -> Tensor:
        """Sum the values of all processes pairwise, in the order of a binary tree over the ranks; in place.

        The number of processes must be a power of two. With the tree over the parts below it, the sum has the same bits
        for any number of processes. Recursive halving and doubling: each process adds up 1/size of the values, and
        sends and receives 2 · (1 − 1/size) of them (Rabenseifner 2004).
        """
        first, last, distance = 0, len(values), 1
        spans = []
        with lost_ranks():
            while distance < self.size:
                other, middle = self.rank ^ distance, (first + last) // 2
                keep, send = ((first, middle), (middle, last))[:: 1 if self.rank < other else -1]
                received = values.new_empty(keep[1] - keep[0])
                _exchange(values[slice(*send)], received, other)
                values[slice(*keep)] += received
                spans.append((send, other))
                first, last = keep
                distance *= 2
            for send, other in reversed(spans):
                _exchange(values[first:last], values[slice(*send)], other)
                first, last = min(first, send[0]), max(last, send[1])
        return values

    def all_reduce(self, values: Tensor) -> Tensor:
        """Sum the values of all processes, in the order that is fastest."""
        if self.size > 1:
            with lost_ranks():
                dist.all_reduce(values)
        return values

    def wait(self) -> None:
        """Wait for all processes."""
        if self.size > 1:
            with lost_ranks():
                dist.barrier()


ALONE = Ranks()
"""A single process."""


def _exchange(values: Tensor, received: Tensor, other: int) -> None:
    """Send values to another process, and receive its values."""
    for work in (dist.isend(values, other), dist.irecv(received, other)):
        assert work is not None
        work.wait()


@contextmanager
def joined(world: World) -> Iterator[Ranks]:
    """Context manager that connects the processes of a run; raises Unavailable if one does not come."""
    if world.size == 1:
        yield Ranks()
        return
    place = rendezvous()
    try:
        _connect(world, place)
    except (RuntimeError, ValueError) as error:  # DistNetworkError and DistStoreError among them
        reason = str(error).strip().partition("\n")[0]
        text = f"rank {world.rank} of {world.size} cannot connect to the others at {place} ({reason})"
        raise Unavailable(f"{text}; is another run using the port (MASTER_PORT)?") from error
    try:
        yield Ranks(world)
    finally:
        dist.destroy_process_group()


def _connect(world: World, place: str) -> None:
    """Create the process group, on a machine with GPUs one GPU for each process; raises Unavailable."""
    backend = "gloo"
    if torch.cuda.is_available():
        if world.local_rank >= torch.cuda.device_count():
            devices = f"{torch.cuda.device_count()} CUDA device{'s' * (torch.cuda.device_count() > 1)}"
            raise Unavailable(f"{world.local_size} processes on a machine with {devices}: start one process for each")
        torch.cuda.set_device(world.local_rank)
        backend = "cpu:gloo,cuda:nccl"
    store, rank, size = next(open_store(place, world.rank, world.size, timeout=START))
    dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=TIMEOUT)


@contextmanager
def lost_ranks() -> Iterator[None]:
    """Context manager that raises RankLost where another process ended or does not answer."""
    try:
        yield
    except RuntimeError as error:
        raise RankLost(LOST) from error


@contextmanager
def lost_ranks_in_collectives() -> Iterator[None]:
    """Context manager that raises RankLost where torch itself communicates, as FSDP does in forward and backward."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, dist.DistError) or "/gloo/" in str(error):  # gloo's messages name its source files
            raise RankLost(LOST) from error
        raise
