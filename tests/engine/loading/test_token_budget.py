"""Parting a batch of unequal samples, against every way that there is."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftaug.engine.loading.token_budget import CPU_TOKENS, TokenBudget

SIZES = st.lists(st.integers(1, 50), min_size=1, max_size=9).map(lambda sizes: np.array(sorted(sizes, reverse=True)))


def ways(length: int) -> Iterator[list[int]]:
    """All lists of positive numbers with that sum."""
    for cuts in itertools.product([False, True], repeat=length - 1):
        ends = [at + 1 for at, cut in enumerate(cuts) if cut] + [length]
        yield np.diff([0, *ends]).tolist()


def cost(counts: list[int], sizes: np.ndarray, token_budget: TokenBudget, most: int) -> float:
    """What a way costs; infinite where a part of several samples is too much."""
    total, at = 0.0, 0
    for count in counts:
        work = count * int(sizes[at])
        if count > most or (count > 1 and work > token_budget.budget):
            return float("inf")
        total += work + token_budget.cost
        at += count
    return total


@given(SIZES, st.integers(1, 200), st.integers(0, 60), st.integers(1, 9))
def test_no_way_is_cheaper(sizes: np.ndarray, budget: int, price: int, most: int) -> None:
    token_budget = TokenBudget(budget, price)
    counts = token_budget.counts(sizes, most)
    assert sum(counts) == len(sizes)
    assert cost(counts, sizes, token_budget, most) == min(
        cost(way, sizes, token_budget, most) for way in ways(len(sizes))
    )


def test_those_of_one_size_stay_together() -> None:
    assert TokenBudget(CPU_TOKENS, 128).counts(np.full(32, 60), 32) == [32]


def test_where_a_pass_costs_most_there_are_as_few_as_can_be() -> None:
    token_budget = TokenBudget.on("cuda", 300, apart=True)
    assert token_budget is not None
    assert token_budget.counts(np.array([100, 100, 100, 10, 10, 10]), 6) == [3, 3]


@pytest.mark.parametrize(
    ("device", "asked", "apart", "budget"),
    [
        ("cpu", "auto", True, CPU_TOKENS),
        ("cpu", "auto", False, None),
        ("cuda", "auto", True, None),
        ("cpu", None, True, None),
        ("cpu", 100, False, 100),
        ("cuda", 100, True, 100),
    ],
)
def test_auto_parts_on_a_processor(device: str, asked: int | str | None, apart: bool, budget: int | None) -> None:
    token_budget = TokenBudget.on(device, asked, apart=apart)
    assert (token_budget and token_budget.budget) == budget
