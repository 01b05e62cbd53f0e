"""Losses of numbers, against their formulas."""

import pytest
import torch

from ftaug.components.losses import regression
from ftaug.config.kinds import loss
from ftaug.interfaces.data import ClassCounts

COUNTS = ClassCounts(torch.tensor([9, 9]), 9)


def test_losses_are_their_formulas():
    z = torch.tensor([[0.5, -3.0], [1.0, 0.0]], dtype=torch.float64)
    y = torch.tensor([[0.0, 0.0], [1.0, 2.0]], dtype=torch.float64)
    assert float(regression.mse(z, y, COUNTS)) == pytest.approx((0.25 + 9 + 0 + 4) / 4)
    assert float(regression.mae(z, y, COUNTS)) == pytest.approx((0.5 + 3 + 0 + 2) / 4)
    expected = (0.125 + 1.5 * (3 - 0.75) + 0 + 1.5 * (2 - 0.75)) / 4
    assert float(regression.huber(z, y, COUNTS, delta=1.5)) == pytest.approx(expected)


@pytest.mark.parametrize("name", [name for name in loss if "regression" in loss[name].facts["tasks"]])
def test_parts_of_a_batch_add_up(name):
    z, y = torch.randn(12, 2), torch.randn(12, 2)
    function = loss[name].function
    parts = 4 * function(z[:4], y[:4], COUNTS) + 8 * function(z[4:], y[4:], COUNTS)
    torch.testing.assert_close(function(z, y, COUNTS), parts / 12)
