"""Integrated gradients of a linear network are its weight times the value."""

import numpy as np
import pytest
from explained_sounds import inputs, linear_output
from torch import nn

from ftaug.audio.explainers.path import integrated_gradients
from ftaug.audio.unpadded import UnpaddedNorm
from ftaug.interfaces.explanation import CannotExplain


@pytest.mark.parametrize(("shape", "grid"), [((1, 16, 24), (4, 6)), ((49,), (1, 8))])
def test_values_are_added_up_in_cells(shape, grid):
    output, sample = linear_output(*shape), inputs(*shape)
    attribution = integrated_gradients(output, sample, steps=3, cells=4)
    products = (sample[0] * output.model.weights).detach().numpy()
    plane = products[0] if len(shape) == 3 else products[None, 1:]
    cells = plane.reshape(grid[0], plane.shape[0] // grid[0], grid[1], -1).sum(axis=(1, 3))
    np.testing.assert_allclose(attribution.values, cells, atol=1e-5)
    assert attribution.figures["completeness_error"] < 1e-5
    assert not sample.requires_grad


def test_a_network_that_normalizes_the_level_is_refused():
    output, sample = linear_output(49), inputs(49)
    output.model.norm = UnpaddedNorm(nn.GroupNorm(2, 2))
    with pytest.raises(CannotExplain, match="needs a network whose output depends on the level of a sound"):
        integrated_gradients(output, sample, steps=3, cells=4)
