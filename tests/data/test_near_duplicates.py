"""Close codes and equal keys, against a comparison of all pairs."""

import numpy as np
import pytest

from ftaug.data.near_duplicates import close_codes, distance, equal_keys


def random_codes(count, seed=0):
    return np.random.default_rng(seed).integers(0, 2**64, count, np.uint64)


def flipped(codes, bits, seed=1):
    """The codes with that many bits changed."""
    rng = np.random.default_rng(seed)
    masks = [sum(1 << int(bit) for bit in rng.choice(64, bits, replace=False)) for _ in codes]
    return codes ^ np.array(masks, np.uint64)


def test_distance_counts_bits():
    first, second = random_codes(50), random_codes(50, seed=2)
    expected = [(a ^ b).bit_count() for a, b in zip(first.tolist(), second.tolist(), strict=True)]
    assert distance(first, second).tolist() == expected


@pytest.mark.parametrize(("bits", "least"), [(0, 1.0), (4, 1.0), (8, 0.97)])
def test_planted_pairs_are_found_and_no_distant_one(bits, least):
    codes = random_codes(1000)
    both = np.concatenate([codes, flipped(codes, bits)])
    pairs = {tuple(pair) for pair in close_codes(both[None], both, 8).tolist()}
    planted = {(row, row + 1000) for row in range(1000)}
    assert len(pairs & planted) >= least * 1000
    assert all((int(both[a]) ^ int(both[b])).bit_count() <= 8 for a, b in pairs)


def test_many_equal_codes_cost_no_more():
    codes = np.zeros(2000, np.uint64)
    pairs = close_codes(codes[None], codes, 0)
    assert 1000 <= len(pairs) <= 2000 * 9
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert len(close_codes(codes[None, :0], codes[:0], 8)) == 0


def test_rows_with_an_equal_key_are_paired():
    keys = np.array([[1, 9], [2, 8], [1, 7], [3, 8], [4, 6]], np.uint64)
    assert equal_keys(keys).tolist() == [[0, 2], [1, 3]]
    assert equal_keys(keys[:0]).shape == (0, 2)
