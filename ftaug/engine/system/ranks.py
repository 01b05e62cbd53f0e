"""Communication between the processes of a run: sums in a fixed order, broadcasts and votes (torch.distributed)."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import Any, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.rendezvous import rendezvous as open_store

from ftaug.config.strict_json import dumps
from ftaug.engine.system.signals import DeferredRequests
from ftaug.engine.system.world import World, rendezvous
from ftaug.errors import RankLost, Unavailable

Item = TypeVar("Item")

START = timedelta(minutes=5)
"""Time to wait for all processes to start."""

VOTE = timedelta(seconds=60)
"""Time to wait for another process in the vote after a step: all have just exchanged gradients."""

TIMEOUT = timedelta(minutes=10)
"""Time to wait for another process that loads data, computes gradients or evaluates."""

WRITING = timedelta(hours=1)
"""Time to wait for rank 0 while it saves a checkpoint or completes the run."""


@dataclass(frozen=True)
class Ranks:
    """The processes of a run; with a single one every method returns at once."""

    world: World = field(default_factory=World)
    groups: Mapping[timedelta, Any] = field(default_factory=dict)  # process groups with other timeouts than TIMEOUT
    machine: Sequence[int] = (0,)  # the ranks on this machine

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

    @property
    def is_first_of_machine(self) -> bool:
        """Whether this process writes the caches of its machine."""
        return self.rank == self.machine[0]

    def call_first_of_machine(self, function: Callable[[], Any]) -> Any:
        """Call a function on the first process of each machine and return its result, which JSON can hold."""
        values = self.gather_values(function() if self.is_first_of_machine else None)
        return values[self.machine[0]]

    @contextmanager
    def first_of_machine_first(self) -> Iterator[None]:
        """Context manager that a machine's other processes enter when its first, which may download, has left it."""
        if not self.is_first_of_machine:
            self.wait()
        yield
        if self.is_first_of_machine:
            self.wait()

    def share_of_machine(self, items: Iterable[Item]) -> Iterator[Item]:
        """Return the items of this process, where each machine goes through all of them."""
        return islice(items, self.machine.index(self.rank), None, len(self.machine))

    def __deepcopy__(self, memo: object) -> Ranks:
        """Return itself: the copy of a network whose layers communicate uses the same connection."""
        return self

    def vote(
        self, choices: Sequence[str], chosen: Container[str | None], timeout: timedelta = TIMEOUT
    ) -> Sequence[str]:
        """Return the choices that any process makes, the same on all; `timeout` is TIMEOUT or VOTE."""
        if self.size == 1:
            return [each for each in choices if each in chosen]
        votes = torch.tensor([each in chosen for each in choices], dtype=torch.int32)
        with lost_ranks(timeout):
            dist.all_reduce(votes, group=self.groups.get(timeout))
        return [each for each, count in zip(choices, votes.tolist(), strict=True) if count]

    def numbers_of_first(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return the numbers of rank 0, which has the same names as all."""
        numbers = torch.tensor(list(values.values()), dtype=torch.float64)
        if self.size > 1:
            with lost_ranks():
                dist.broadcast(numbers, 0)
        return dict(zip(values, numbers.tolist(), strict=True))

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

    def gather_values(self, value: Any) -> list[Any]:
        """Return the values of all processes, which JSON can hold, in the order of the ranks."""
        if self.size == 1:
            return [value]
        content = torch.frombuffer(bytearray(dumps(value).encode()), dtype=torch.uint8)
        lengths = [int(length) for length in self.gather(torch.tensor([len(content)]))]
        padded = torch.nn.functional.pad(content, (0, max(lengths) - len(content)))
        received = zip(self.gather(padded), lengths, strict=True)
        return [json.loads(data[:length].numpy().tobytes()) for data, length in received]

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

    def start_all_reduce(self, values: Tensor) -> Callable[[], Tensor]:
        """Start to sum the values of all processes; returns a function that waits for the sum."""
        with lost_ranks():
            work = dist.all_reduce(values, async_op=True)

        def wait() -> Tensor:
            with lost_ranks():
                work.wait()
            return values

        return wait

    def wait(self) -> None:
        """Wait for all processes, as long as rank 0 may write."""
        if self.size > 1:
            with lost_ranks(WRITING):
                dist.barrier(self.groups[WRITING])


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
        ranks = _connect(world, place)
    except (RuntimeError, ValueError) as error:  # DistNetworkError and DistStoreError among them
        reason = str(error).strip().partition("\n")[0]
        text = f"rank {world.rank} of {world.size} cannot connect to the others at {place} ({reason})"
        raise Unavailable(f"{text}; is another run using the port (MASTER_PORT)?") from error
    try:
        yield ranks
    finally:
        dist.destroy_process_group()


def _connect(world: World, place: str) -> Ranks:
    """Create the process groups, on a machine with GPUs one GPU for each process; raises Unavailable."""
    backend, device = "gloo", ""
    if torch.cuda.is_available():
        number = 0 if torch.cuda.device_count() == 1 else world.local_rank  # Slurm may show each task a GPU of its own
        if number >= torch.cuda.device_count():
            text = f"{world.local_size} processes on a machine with {torch.cuda.device_count()} CUDA devices"
            raise Unavailable(f"{text}: start one process for each")
        torch.cuda.set_device(number)
        backend, device = "cpu:gloo,cuda:nccl", str(torch.cuda.get_device_properties(number).uuid)
    store, rank, size = next(open_store(place, world.rank, world.size, timeout=START))
    with DeferredRequests() as requests:  # a process that stops while others connect would leave them waiting for it
        _wait_for_all(store, size, requests)
        dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=TIMEOUT)
        groups = {timeout: dist.new_group(timeout=timeout, backend="gloo") for timeout in (VOTE, WRITING)}
    hosts = Ranks(world).gather_values(socket.gethostname())
    require_devices(Ranks(world).gather_values(device), hosts)
    return Ranks(world, groups, [number for number, host in enumerate(hosts) if host == hosts[rank]])


def require_devices(devices: Sequence[str], hosts: Sequence[str]) -> None:
    """Raise Unavailable if two processes of a host have the same GPU; the devices are empty without one."""
    users: dict[tuple[str, str], int] = {}
    for rank, place in enumerate(zip(hosts, devices, strict=True)):
        if place[1] and place in users:
            text = f"the processes of rank {users[place]} and {rank} have the same GPU of {place[0]}"
            raise Unavailable(f"{text}: start one process for each GPU")
        users[place] = rank


def _wait_for_all(store: Any, size: int, requests: DeferredRequests) -> None:
    """Wait for all processes; raises DistNetworkError.

    A request is handled as long as a process is missing, and afterwards only when all are connected.
    """
    count, until = store.add("started", 1), time.monotonic() + START.total_seconds()
    while count < size:
        if time.monotonic() > until:
            raise dist.DistNetworkError(f"{count} of {size} processes have started")
        if requests.received:
            if store.add("started", -1) + 1 < size:  # no process has counted all
                requests.handle()
            count = store.add("started", 1)
        else:
            time.sleep(0.02)
            count = store.add("started", 0)


@contextmanager
def lost_ranks(timeout: timedelta = TIMEOUT) -> Iterator[None]:
    """Context manager that raises RankLost where another process ended, or does not respond in time."""
    try:
        yield
    except RuntimeError as error:
        minutes = round(timeout.total_seconds() / 60)
        text = f"another process of the run ended, or did not respond for {minutes} minute{'s' * (minutes > 1)}"
        raise RankLost(text) from error


@contextmanager
def lost_ranks_in_collectives() -> Iterator[None]:
    """Context manager that raises RankLost where torch itself communicates, as FSDP does in forward and backward."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, dist.DistError) or "/gloo/" in str(error):  # gloo's messages name its source files
            raise RankLost("another process of the run ended") from error
        raise
