import math
from dataclasses import replace

import pytest

from ftaug.runs.export.parity import Comparison, MetricParity, Parity

EXACT = Parity("val", 100, 1e-5, 1e-6, 0.1, 1.0, MetricParity("f1", 0.9, 0.9))


def test_equal_answers_hold():
    assert EXACT.holds


@pytest.mark.parametrize(
    "changes",
    [
        {"largest_difference": 0.2},  # though every prediction is the same
        {"largest_difference": math.nan},
        {"largest_probability_difference": 0.01},
        {"largest_probability_difference": math.nan},
        {"equal_predictions": 0.99},
        {"metric": MetricParity("f1", 0.9, 0.898)},
    ],
)
def test_answers_are_bounded_in_logits_probabilities_and_the_metric(changes):
    assert not replace(EXACT, **changes).holds


def test_what_evaluate_does_with_views_is_no_difference():
    assert replace(EXACT, metric=MetricParity("f1", 0.9, 0.9, "ten_crop", 0.93)).holds


def test_synthetic_samples_are_bounded_too_but_may_lie_between_two_classes():
    synthetic = replace(EXACT, split="synthetic", samples=8, metric=None)
    assert Comparison([replace(synthetic, equal_predictions=0.9), EXACT]).holds
    assert not Comparison([replace(synthetic, largest_difference=1.0), EXACT]).holds
    assert Comparison([synthetic], "moved").record()["split"] == "synthetic"
    assert Comparison([synthetic, EXACT]).record()["split"] == "val"
