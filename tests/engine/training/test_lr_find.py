"""The suggestions on curves whose shape is known."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftaug.engine.training.lr_find import Curve, assess, rounded, steepest, tenth_of_minimum, valley

RATES = np.geomspace(1e-6, 1.0, 121)  # twenty steps a decade


def curve(losses, smoothed=None, diverged=True):
    losses = np.asarray(losses, float)
    return Curve(RATES[: len(losses)], losses, losses if smoothed is None else smoothed, diverged)


def a_fall_at(rate, until=0.1):
    """The loss falls along a logistic curve in the logarithm of the rate, and shoots up behind `until`."""
    steps = np.log10(RATES)
    losses = 2.0 - 1.5 / (1 + np.exp(-4 * (steps - np.log10(rate))))
    return curve(np.where(until < RATES, losses + 4 * (steps - np.log10(until)), losses))


@pytest.mark.parametrize("rate", [1e-4, 1e-3])
def test_the_steepest_point_and_a_tenth_of_the_minimum(rate):
    assert steepest(a_fall_at(rate)) == pytest.approx(rate, rel=0.13)
    assert tenth_of_minimum(a_fall_at(rate)) == pytest.approx(0.01, rel=0.13)


@given(st.lists(st.integers(0, 20), min_size=3, max_size=9))
def test_the_valley_is_the_longest_fall(values):
    """Every subsequence is looked at."""
    found = valley(curve(values))
    falls = [
        chosen
        for size in range(1, len(values) + 1)
        for chosen in combinations(range(len(values)), size)
        if all(values[a] > values[b] for a, b in pairwise(chosen))
    ]
    longest = max(map(len, falls))
    ends = {RATES[one[0] + (one[-1] - one[0]) * 2 // 3] for one in falls if len(one) == longest}
    assert found in ends


def test_agreement_is_said():
    verdict = assess(a_fall_at(5e-3), peak=5e-3)
    assert verdict.rate == sorted(verdict.suggestions.values())[1]
    assert verdict.sentences[0].startswith("the rules agree within a factor of ")
    assert verdict.sentences[1] == "lr.peak is 0.005, which is near"


def test_a_peak_far_away_is_said():
    assert "times higher" in assess(a_fall_at(1e-3), peak=1.0).sentences[-1]
    assert "times lower" in assess(a_fall_at(1e-3), peak=1e-6).sentences[-1]


def test_doubts_are_said():
    rng = np.random.default_rng(0)
    assert "did not fall at any rate" in assess(curve(np.full(100, 2.0)), 1e-3).sentences[0]
    falling = np.linspace(2.0, 1.5, 100)
    noisy = curve(falling + rng.normal(0, 1, 100), falling)
    assert "scatters more than it falls" in assess(noisy, 1e-3).sentences[0]
    assert "the loss had not diverged at a rate of 0.0891:" in assess(curve(falling, diverged=False), 1e-3).sentences[1]


def test_rates_are_written_as_a_person_would():
    assert [rounded(rate) for rate in (0.00123, 0.05, 1.0, 2.96e-5)] == ["0.0012", "0.05", "1", "3e-05"]
