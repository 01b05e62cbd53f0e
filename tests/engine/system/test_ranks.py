"""Communication of several real processes; the sum over a tree has the bits of the same sum in one process."""

import math
import os
import signal
import time
from datetime import timedelta

import numpy as np
import pytest
import torch
from processes import in_ranks

from ftaug.engine.system.ranks import ALONE, VOTE, _wait_for_all, joined, require_devices
from ftaug.engine.system.signals import DeferredRequests
from ftaug.engine.system.world import World
from ftaug.errors import RankLost, Unavailable


def values_of(rank, count=1003):
    return torch.from_numpy(np.random.default_rng(rank).normal(size=count).astype(np.float32))


def pairwise(values):
    while len(values) > 1:
        values = [first + second for first, second in zip(values[::2], values[1::2], strict=True)]
    return values[0]


@pytest.mark.parametrize("size", [2, 4, 8])
def test_a_tree_sum_is_that_of_one_process(tmp_path, size) -> None:
    counts = (1003, 3)  # also fewer values than processes
    results = in_ranks(
        tmp_path, size, lambda ranks: [ranks.tree_sum(values_of(ranks.rank, count)).numpy() for count in counts]
    )
    expected = [pairwise([values_of(rank, count) for rank in range(size)]).numpy() for count in counts]
    naive = sum(values_of(rank) for rank in range(size)).numpy()
    for result in results:
        for values, right in zip(result, expected, strict=True):
            np.testing.assert_array_equal(values, right)
    assert size == 2 or (naive != expected[0]).any()  # the order matters, or the test would show nothing


def test_processes_agree(tmp_path) -> None:
    def action(ranks):
        rows = np.zeros((5, 2), np.float32)
        rows[ranks.rank] = [-0.0, ranks.rank]
        return (
            ranks.broadcast({"from": ranks.rank}),
            ranks.vote(("a", "b", "c"), {1: ("b",), 2: ("a", "b")}.get(ranks.rank, ())),
            ranks.vote(("a", "b"), (), VOTE),
            ranks.least(10 - ranks.rank),
            ranks.any(ranks.rank == 2),
            ranks.any(False),
            [int(each) for each in ranks.gather(torch.tensor([ranks.rank]))],
            ranks.gather_values("x" * ranks.rank),
            ranks.numbers_of_first({"a": math.nan, "b": 0.1 + ranks.rank})["b"],
            ranks.call_first_of_machine(lambda: ranks.rank),
            list(ranks.share_of_machine(range(5)))[-1],
            ranks.merge(rows, 5),
            ranks.merge(rows[:, :1].astype(np.float64) + 1 if ranks.rank == 0 else None, 5),
        )

    for rank, (*result, merged, of_one) in enumerate(in_ranks(tmp_path, 3, action)):
        assert result[:6] == [{"from": 0}, ["a", "b"], [], 8, True, False]
        assert result[6:] == [[0, 1, 2], ["", "x", "xx"], 0.1, 0, (3, 4, 2)[rank]]
        np.testing.assert_array_equal(merged, [[0, 0], [0, 1], [0, 2], [0, 0], [0, 0]])
        np.testing.assert_array_equal(np.signbit(merged[:, 0]), [True, True, True, False, False])
        np.testing.assert_array_equal(of_one, np.ones((5, 1)))


def test_a_single_process_waits_for_nobody() -> None:
    assert ALONE.broadcast({1}) == {1}
    assert ALONE.vote(("a", "b"), ("b",)) == ["b"]
    assert ALONE.call_first_of_machine(lambda: 4) == 4
    assert list(ALONE.share_of_machine("abc")) == ["a", "b", "c"]
    assert ALONE.least(3) == 3
    assert ALONE.merge(None, 4) is None
    values = torch.ones(3)
    assert ALONE.tree_sum(values) is values
    ALONE.wait()


def test_a_lost_process_is_an_error_of_the_others(tmp_path) -> None:
    def action(ranks):
        ranks.wait()
        if ranks.rank == 1:
            os._exit(0)
        ranks.wait()

    first, _ = in_ranks(tmp_path, 2, action)
    assert isinstance(first, RankLost)
    assert str(first) == "another process of the run ended, or did not respond for 60 minutes"


def test_a_process_that_does_not_vote_is_an_error_and_rank_0_may_write_longer(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("ftaug.engine.system.ranks.VOTE", timedelta(seconds=0.5))

    def action(ranks):
        if ranks.rank == 0:
            time.sleep(1)
        ranks.wait()
        if ranks.rank == 1:
            time.sleep(1)
        return ranks.vote(("a",), (), timedelta(seconds=0.5))

    first, _ = in_ranks(tmp_path, 2, action)
    assert isinstance(first, RankLost)
    assert str(first) == "another process of the run ended, or did not respond for 0 minute"


def test_a_master_that_is_not_there_is_an_error(monkeypatch) -> None:
    monkeypatch.setattr("ftaug.engine.system.ranks.START", timedelta(seconds=1))
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", "1")
    with (
        pytest.raises(Unavailable, match=r"rank 1 of 2 cannot connect to the others at tcp://127\.0\.0\.1:1"),
        joined(World(1, 2)),
    ):
        pass


def test_a_gpu_for_two_processes_is_an_error() -> None:
    require_devices(["", "", ""], ["a", "a", "a"])
    require_devices(["0", "0", "1"], ["a", "b", "b"])
    with pytest.raises(
        Unavailable, match="the processes of rank 1 and 2 have the same GPU of b: start one process for"
    ):
        require_devices(["0", "1", "1"], ["a", "b", "b"])


def test_the_first_process_of_a_machine_goes_first(tmp_path):
    """As where weights are downloaded into a cache that the others then find."""

    def action(ranks):
        with ranks.first_of_machine_first():
            there = (tmp_path / "downloaded").exists()
            time.sleep(0.2)
            (tmp_path / "downloaded").touch()
        return there

    assert in_ranks(tmp_path, 3, action) == [False, True, True]


class Store:
    """A counter; `later` is added to it once one process withdraws or looks again."""

    def __init__(self, later=0):
        self.count, self.later, self.calls = 0, later, []

    def add(self, name, number):
        self.calls.append(number)
        if len(self.calls) > 1:
            self.count, self.later = self.count + self.later, 0
        self.count += number
        return self.count


class Handled(Exception):
    pass


def wait_with_a_request(store):
    def handle(number, frame):
        raise Handled

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        with DeferredRequests() as requests:
            os.kill(os.getpid(), signal.SIGUSR1)
            _wait_for_all(store, 2, requests)
            store.calls.append("connected")
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_request_to_stop_is_handled_while_a_process_is_missing():
    store = Store()
    with pytest.raises(Handled):
        wait_with_a_request(store)
    assert (store.calls, store.count) == ([1, -1], 0)


def test_a_request_to_stop_waits_for_the_connection_once_all_have_started():
    """The other process has counted both, so it connects."""
    store = Store(later=1)
    with pytest.raises(Handled):
        wait_with_a_request(store)
    assert (store.calls, store.count) == ([1, -1, 1, "connected"], 2)
