"""Sign-flip tests: against SciPy, by enumeration by hand, and how often they err."""

import math

import numpy as np
import pytest
from scipy import stats

from ftaug.statistics import sign_flip
from ftaug.statistics.comparison import holm


def by_scipy(values):
    test = stats.permutation_test(
        (values,), np.mean, permutation_type="samples", alternative="two-sided", n_resamples=np.inf
    )
    return test.pvalue


def test_p_is_that_of_scipy():
    rng = np.random.default_rng(0)
    differences = rng.normal(0.4, 1, (8, 3))
    expected = [by_scipy(column) for column in differences.T]
    assert np.allclose(sign_flip.p_values(differences), expected)


def test_p_of_a_large_number_of_rows_is_drawn():
    rng = np.random.default_rng(0)
    differences = rng.normal(0.35, 1, (30, 1))
    assert sign_flip.p_values(differences)[0] == pytest.approx(stats.ttest_1samp(differences[:, 0], 0).pvalue, abs=0.01)


@pytest.mark.parametrize(("rows", "smallest"), [(1, 1.0), (3, 0.25), (5, 0.0625), (6, 0.03125), (8, 0.0078125)])
def test_the_smallest_p_is_reached_by_differences_of_one_sign(rows, smallest):
    differences = np.linspace(0.1, 0.5, rows)[:, None]
    assert sign_flip.smallest_p(rows) == smallest == sign_flip.p_values(differences)[0]


@pytest.mark.parametrize(("level", "rows"), [(0.05, 6), (0.0625, 5), (0.01, 8), (0.001, 11)])
def test_the_number_of_rows_for_a_level(level, rows):
    assert sign_flip.rows_needed(level) == rows
    assert sign_flip.smallest_p(rows) <= level < sign_flip.smallest_p(rows - 1)


def test_no_difference_is_no_evidence():
    differences = np.zeros((6, 2))
    assert (sign_flip.p_values(differences) == 1).all()
    assert (sign_flip.adjusted_p_values(differences) == 1).all()


def test_adjusted_p_by_hand():
    """Two rows: the flips that change something are those of one row."""
    differences = np.array([[3.0, 1.0], [1.0, -2.0]])
    # means 2 and -0.5; flipping the second row alone: 1 and 1.5. Largest of both: 2 of {2, 1.5}; then 0.5 of {0.5, 1.5}
    assert sign_flip.adjusted_p_values(differences).tolist() == [0.5, 1.0]


def test_adjusted_p_is_monotone_and_between_p_and_holm():
    rng = np.random.default_rng(1)
    differences = rng.normal([2.5, -1.5, 0, 0.3, 0], size=(9, 5))
    p, adjusted = sign_flip.p_values(differences), sign_flip.adjusted_p_values(differences)
    assert (adjusted >= p - 1e-12).all()
    order = np.argsort(-np.abs(differences.mean(axis=0)))
    assert (np.diff(adjusted[order]) >= 0).all()
    assert adjusted[0] == sign_flip.smallest_p(9) < holm(p.tolist())[0]


def test_the_interval_excludes_zero_where_p_is_small():
    rng = np.random.default_rng(2)
    checked = set()
    for shift in np.linspace(0, 2, 25):
        differences = rng.normal(shift, 1, 7)
        low, high = sign_flip.interval(differences)
        is_small = sign_flip.p_values(differences[:, None])[0] <= 0.05
        assert (low > 0 or high < 0) == is_small
        assert low < differences.mean() < high
        checked.add(bool(is_small))
    assert checked == {True, False}


def test_the_interval_of_six_is_their_range():
    """Of six differences the two one-sided flips alone reach 5 %, so a mean is rejected outside of all of them."""
    differences = np.array([0.3, -0.1, 0.7, 0.2, 0.25, 0.4])
    assert np.allclose(sign_flip.interval(differences), (-0.1, 0.7))
    assert all(map(math.isnan, sign_flip.interval(differences[:5])))


def false_rejections(rng, draw, rows, columns, trials=200):
    """Share of trials in which any column is rejected although every run is drawn alike."""
    wrong = 0
    for _ in range(trials):
        runs = draw(rng, (rows, columns + 1))
        wrong += bool((sign_flip.adjusted_p_values(runs[:, 1:] - runs[:, :1]) <= 0.05).any())
    return wrong / trials


def test_no_effect_is_rarely_rejected():
    """The chance is 2/64 with six rows: of 200 trials 6.25, and 16 or more have a chance below 0.1 %."""
    assert false_rejections(np.random.default_rng(3), lambda rng, shape: rng.normal(size=shape), 6, 6) <= 15 / 200


@pytest.mark.slow
def test_no_effect_is_rarely_rejected_whatever_the_noise():
    rng = np.random.default_rng(4)
    draws = {
        "normal": lambda rng, shape: rng.normal(size=shape),
        "skewed": lambda rng, shape: rng.exponential(size=shape),
        "heavy tails": lambda rng, shape: rng.standard_t(2, size=shape),
        "rounded": lambda rng, shape: rng.binomial(200, 0.9, size=shape) / 200,
    }
    for rows in (6, 8):
        for name, draw in draws.items():
            share = false_rejections(rng, draw, rows, 8, trials=2000)
            assert share <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 2000), (rows, name)
