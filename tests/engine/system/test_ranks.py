"""Communication of several real processes; the sum over a tree has the bits of the same sum in one process."""

import os
from datetime import timedelta

import numpy as np
import pytest
import torch
from processes import in_ranks

from ftaug.engine.system.ranks import ALONE, joined
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
            ranks.vote(("a", "b"), "b" if ranks.rank == 1 else None),
            ranks.vote(("a", "b"), None),
            ranks.least(10 - ranks.rank),
            ranks.any(ranks.rank == 2),
            ranks.any(False),
            [int(each) for each in ranks.gather(torch.tensor([ranks.rank]))],
            ranks.merge(rows, 5),
            ranks.merge(rows[:, :1].astype(np.float64) + 1 if ranks.rank == 0 else None, 5),
        )

    for *result, merged, of_one in in_ranks(tmp_path, 3, action):
        assert result == [{"from": 0}, "b", None, 8, True, False, [0, 1, 2]]
        np.testing.assert_array_equal(merged, [[0, 0], [0, 1], [0, 2], [0, 0], [0, 0]])
        np.testing.assert_array_equal(np.signbit(merged[:, 0]), [True, True, True, False, False])
        np.testing.assert_array_equal(of_one, np.ones((5, 1)))


def test_a_single_process_waits_for_nobody() -> None:
    assert ALONE.broadcast({1}) == {1}
    assert ALONE.vote(("a",), "a") == "a"
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
    assert str(first) == "another process of the run ended, or did not respond for 10 minutes"


def test_a_master_that_is_not_there_is_an_error(monkeypatch) -> None:
    monkeypatch.setattr("ftaug.engine.system.ranks.START", timedelta(seconds=1))
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", "1")
    with (
        pytest.raises(Unavailable, match=r"rank 1 of 2 cannot connect to the others at tcp://127\.0\.0\.1:1"),
        joined(World(1, 2)),
    ):
        pass
