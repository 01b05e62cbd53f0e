import numpy as np
import pytest

from ftaug.attribution.cells import add_up, cell_bounds


@pytest.mark.parametrize(
    ("height", "width", "cells", "shape"), [(32, 32, 8, (8, 8)), (224, 448, 7, (7, 14)), (3, 5, 8, (3, 5))]
)
def test_cells_are_square_and_not_smaller_than_a_pixel(height, width, cells, shape):
    rows, columns = cell_bounds(height, width, cells)
    assert (len(rows) - 1, len(columns) - 1) == shape
    assert rows[0] == columns[0] == 0 and (rows[-1], columns[-1]) == (height, width)
    assert min(np.diff(rows)) >= 1


def test_values_are_added_up():
    values = np.random.default_rng(0).normal(size=(10, 7))
    rows, columns = np.array([0, 3, 10]), np.array([0, 2, 5, 7])
    expected = [[values[a:b, c:d].sum() for c, d in ((0, 2), (2, 5), (5, 7))] for a, b in ((0, 3), (3, 10))]
    assert add_up(values, rows, columns) == pytest.approx(np.array(expected))
