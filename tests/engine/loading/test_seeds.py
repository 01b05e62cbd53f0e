"""Streams: each a function of what it is for, and of nothing else."""

import numpy as np
from scipy.stats import kstest

from ftaug.engine.loading import seeds


def draws(op: str, seed: int = 0, epoch: int = 0, sample: int = 0) -> list[float]:
    return seeds.streams(seed, epoch, sample)(op).random(4).tolist()


def test_the_same_purpose_gives_the_same_draws() -> None:
    assert draws("rotate", 1, 2, 3) == draws("rotate", 1, 2, 3)


def test_every_part_of_the_purpose_changes_the_draws() -> None:
    variants = [
        draws("rotate"),
        draws("rotate#1"),
        draws("rotate", seed=1),
        draws("rotate", epoch=1),
        draws("rotate", sample=1),
    ]
    assert len({tuple(v) for v in variants}) == len(variants)


def test_seed_and_sample_are_not_added_up() -> None:
    assert draws("rotate", seed=0, sample=5) != draws("rotate", seed=5, sample=0)


def test_an_op_draws_the_same_whatever_else_was_drawn() -> None:
    stream = seeds.streams(0, 0, 0)
    stream("other").random(1000)
    assert stream("rotate").random(4).tolist() == draws("rotate")


def test_first_draws_over_samples_are_uniform() -> None:
    first = [seeds.streams(0, 0, sample)("rotate").random() for sample in range(2000)]
    assert kstest(first, "uniform").pvalue > 0.001


def test_order_is_a_permutation_that_differs_between_epochs_and_seeds() -> None:
    orders = [seeds.order(seed, epoch, 50) for seed in (0, 1) for epoch in (0, 1)]
    for order in orders:
        assert np.array_equal(np.sort(order), np.arange(50))
    assert len({tuple(order) for order in orders}) == 4


def test_step_seeds_differ_and_fit_torch() -> None:
    found = {seeds.step_seed(0, step, part) for step in range(50) for part in range(3)}
    assert len(found) == 150
    assert all(0 <= seed < 2**63 for seed in found)


def test_streams_are_philox_by_key_and_counter() -> None:
    key = np.array([7, seeds.word("augment")], np.uint64)
    counter = np.array([0, seeds.word("rotate"), 3, 2], np.uint64)
    expected = np.random.Generator(np.random.Philox(key=key, counter=counter)).random(4).tolist()
    assert draws("rotate", seed=7, epoch=2, sample=3) == expected
