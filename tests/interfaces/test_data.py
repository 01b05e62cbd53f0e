"""Thresholds of scaled logits decide as those of the logits do."""

import numpy as np
import pytest

from ftaug.interfaces.data import rescaled_thresholds


@pytest.mark.parametrize(("scale", "bias"), [((0.5,), (0.0,)), ((2.0, 0.3, 1.0), (-1.0, 0.5, 3.0))])
def test_decisions_stay(scale, bias):
    logits = np.random.default_rng(0).normal(0, 4, (500, 3))
    thresholds = (0.0, 0.3, 0.999)
    rescaled = rescaled_thresholds(thresholds, scale, bias)
    calibrated = 1 / (1 + np.exp(-(logits * np.array(scale) + np.array(bias))))
    assert np.array_equal(calibrated > rescaled, 1 / (1 + np.exp(-logits)) > thresholds)
    back = rescaled_thresholds(rescaled, [1 / s for s in scale], [-b / s for s, b in zip(scale, bias, strict=True)])
    assert back == pytest.approx(thresholds)
