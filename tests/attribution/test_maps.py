"""Maps at another resolution than that of their cells."""

import numpy as np
import pytest

from ftaug.attribution.maps import at_input
from ftaug.interfaces.explanation import Attribution


@pytest.mark.parametrize("smooth", [False, True])
def test_cells_are_interpolated_only_if_they_are_smooth(smooth):
    values = np.array([[0.0, 4.0], [0.0, 4.0]])
    row = at_input(Attribution(values, smooth=smooth), 2, 8)[0]
    assert row.tolist() == ([0, 0, 0.5, 1.5, 2.5, 3.5, 4, 4] if smooth else [0, 0, 0, 0, 4, 4, 4, 4])
