"""Processes with other numbers of items, one of which requests to stop."""

import pytest
from processes import in_ranks

from ftaug.engine.system.ranks import ALONE
from ftaug.engine.system.rounds import Rounds


def handled(ranks, items, stop_at=None):
    done = []
    rounds = Rounds(ranks, items, lambda: stop_at not in done)
    for item in rounds:
        done.append(item)
    return done, rounds.stopped


@pytest.mark.parametrize("stop_at", [None, 3])
def test_all_processes_stop_in_the_same_round(tmp_path, stop_at) -> None:
    items = ([1, 2, 3, 4, 5], [6, 7])
    first, second = in_ranks(tmp_path, 2, lambda ranks: handled(ranks, items[ranks.rank], stop_at))
    assert first == (items[0][:stop_at], stop_at is not None)
    assert second == ([6, 7], stop_at is not None)


def test_one_process_handles_all_its_items() -> None:
    assert handled(ALONE, "abc") == (["a", "b", "c"], False)
    assert handled(ALONE, "abc", "b") == (["a", "b"], True)
    assert handled(ALONE, "abc", "c") == (["a", "b", "c"], True)
    assert handled(ALONE, "") == ([], False)
