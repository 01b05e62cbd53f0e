import numpy as np
import pytest
from scipy.stats import spearmanr

from ftaug.statistics.correlation import spearman


@pytest.mark.parametrize("levels", [3, 1000])
def test_it_is_scipys(levels):
    rng = np.random.default_rng(levels)
    first, second = rng.integers(0, levels, (2, 6, 7)).astype(float)
    second += first
    assert spearman(first, second) == pytest.approx(spearmanr(first.ravel(), second.ravel()).statistic)


def test_a_constant_has_no_correlation():
    assert spearman(np.zeros(4), np.arange(4.0)) == 0
