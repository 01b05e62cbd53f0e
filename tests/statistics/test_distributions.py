import math

import numpy as np
import pytest
from scipy import stats

from ftaug.statistics import distributions

SHAPES = [(1, 1), (0.5, 0.5), (2, 30), (90, 11), (9501, 500), (4.5, 0.5), (1, 100_000)]


@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_beta_is_scipys(a, b):
    for share in (1e-6, 0.025, 0.3, 0.5, 0.975, 1 - 1e-6):
        x = stats.beta.ppf(share, a, b)
        assert distributions.beta_quantile(share, a, b) == pytest.approx(x, rel=1e-9, abs=1e-14)
        assert distributions.beta_cdf(x, a, b) == pytest.approx(share, rel=1e-8)
    assert [distributions.beta_cdf(x, a, b) for x in (-1, 0, 1, 2)] == [0, 0, 1, 1]


@pytest.mark.parametrize("degrees", [1, 2, 4.3, 30, 5000, math.inf])
def test_student_is_scipys(degrees):
    oracle = stats.norm if math.isinf(degrees) else stats.t(degrees)
    for share in (1e-5, 0.025, 0.5, 0.9, 0.975):
        t = oracle.ppf(share)
        assert distributions.student_quantile(share, degrees) == pytest.approx(t, rel=1e-7, abs=1e-12)
        assert distributions.student_cdf(t, degrees) == pytest.approx(share, rel=1e-9)


@pytest.mark.parametrize("trials", [1, 7, 300])
def test_binomial_is_scipys(trials):
    for successes in (-1, 0, 1, trials // 2, trials - 1, trials, trials + 1):
        for p in (0.05, 0.5, 0.9):
            expected = stats.binom.cdf(successes, trials, p)
            assert distributions.binomial_cdf(successes, trials, p) == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_normal_tail_is_exact():
    z = np.linspace(-8, 3, 12)
    assert [distributions.normal_cdf(v) for v in z] == pytest.approx(stats.norm.cdf(z), rel=1e-12)
