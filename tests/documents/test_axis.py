import math

import numpy as np
import pytest

from ftaug.documents.axis import Axis, axis_of, labels


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.961, 0.998), (-3, 17), (0, 0.003), (1, 4), (0, 12345)])
def test_ticks_are_round_and_few(low, high):
    ticks = Axis(low, high, 0, 100).ticks()
    assert 2 <= len(ticks) <= 7
    assert low - 1e-12 <= ticks[0] and ticks[-1] <= high + 1e-12
    step = ticks[1] - ticks[0]
    assert np.diff(ticks) == pytest.approx(step)
    assert round(step / 10 ** math.floor(math.log10(step) + 1e-9), 6) in (1, 2, 2.5, 5)


def test_a_logarithmic_axis_has_powers_of_ten():
    axis = axis_of([1e-5, 3e-2, -1, 0], (None, None), 0, 100, log=True)
    assert axis.ticks() == pytest.approx([1e-5, 1e-4, 1e-3, 1e-2])
    assert axis.position(1e-5) == 0 and axis.position(3e-2) == 100
    assert axis.position(math.sqrt(1e-5 * 3e-2)) == pytest.approx(50)


def test_positions_are_linear_and_stay_inside():
    axis = axis_of([2.0, math.nan, 6.0, math.inf], (0, None), 200, 100)
    assert (axis.low, axis.high) == (0, 6)
    assert [axis.position(v) for v in (0, 3, 6, -1, 9)] == [200, 150, 100, 200, 100]


@pytest.mark.parametrize("values", [[], [0.0], [5.0, 5.0], [-2.0]])
def test_an_axis_without_extent_gets_one(values):
    axis = axis_of(values, (None, None), 0, 1)
    assert axis.low < axis.high and len(axis.ticks()) >= 2


def test_labels_have_the_digits_that_they_need():
    assert labels([0, 0.25, 0.5]) == ["0", "0.25", "0.5"]
    assert labels([0, 1000, 2000]) == ["0", "1,000", "2,000"]
    assert labels([1e-5, 1e-4]) == ["1e-5", "0.0001"]
    assert labels([0.9612, 0.9614]) == ["0.9612", "0.9614"]
