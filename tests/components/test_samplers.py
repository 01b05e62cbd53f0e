"""Samplers: the share of an epoch that each class has, by its number of samples."""

import numpy as np
import pytest

from ftaug.components.samplers import balanced, square_root

COUNTS = np.array([4, 25, 91])


def shares(sampler):
    return sampler(COUNTS) / sampler(COUNTS).sum()


def test_balanced_classes_have_equal_shares():
    np.testing.assert_allclose(shares(balanced), [1 / 3] * 3)


def test_square_root_shares_are_between_those_of_the_data_and_equal_ones():
    """By hand: 2, 5 and 9.54 of 16.54."""
    np.testing.assert_allclose(shares(square_root), [0.12092, 0.30231, 0.57677], atol=1e-5)


@pytest.mark.parametrize("sampler", [balanced, square_root])
def test_a_class_without_samples_has_no_share(sampler):
    share = sampler(np.array([3, 0, 5]))
    assert share[1] == 0
    assert (share[[0, 2]] > 0).all()
