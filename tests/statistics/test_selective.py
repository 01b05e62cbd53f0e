import numpy as np
import pytest

from ftaug.errors import ExperimentError
from ftaug.interfaces.data import Task
from ftaug.statistics.selective import (
    prediction_confidence,
    risk_coverage,
    threshold_for_coverage,
    threshold_for_precision,
)


def test_the_curve_is_the_mean_error_of_the_most_confident():
    curve = risk_coverage(np.array([0.2, 0.9, 0.6, 0.8]), np.array([1, 0, 1, 0]))
    assert curve.coverage == pytest.approx([0.25, 0.5, 0.75, 1])
    assert curve.risk == pytest.approx([0, 0, 1 / 3, 1 / 2])
    assert curve.area == pytest.approx((1 / 3 + 1 / 2) / 4)


def test_ties_have_the_mean_over_all_orders():
    rng = np.random.default_rng(0)
    confidence, errors = rng.integers(0, 4, 40) / 4, rng.integers(0, 2, 40)
    areas = []
    for _ in range(4000):
        order = np.lexsort((rng.random(40), -confidence))
        areas.append((np.cumsum(errors[order]) / np.arange(1, 41)).mean())
    assert risk_coverage(confidence, errors).area == pytest.approx(np.mean(areas), abs=3e-3)


def test_confidence_that_knows_its_errors_has_less_area():
    rng = np.random.default_rng(0)
    confidence = rng.random(2000)
    errors = rng.random(2000) > confidence
    assert risk_coverage(confidence, errors).area < 0.6 * risk_coverage(rng.random(2000), errors).area


@pytest.mark.parametrize(("coverage", "answered"), [(0.9, 9), (0.85, 9), (1.0, 10), (0.05, 1)])
def test_the_threshold_answers_the_share(coverage, answered):
    confidence = np.random.default_rng(0).random(10)
    assert (confidence >= threshold_for_coverage(confidence, coverage)).sum() == answered


@pytest.mark.parametrize("coverage", [0, 1.5, float("nan")])
def test_coverage_is_a_share(coverage):
    with pytest.raises(ExperimentError, match="is not a share of samples; expected a number above 0 and up to 1"):
        threshold_for_coverage(np.array([0.5]), coverage)


def test_the_confidence_of_a_prediction_is_the_probability_that_it_is_right():
    probabilities = np.array([[0.2, 0.7, 0.1], [0.9, 0.05, 0.05]])
    assert prediction_confidence(probabilities, Task(("a", "b", "c"))) == pytest.approx([0.7, 0.9])
    labels = Task(("a", "b", "c"), multi_label=True, thresholds=(0.5, 0.8, 0.05))  # b is not predicted, c is
    assert prediction_confidence(probabilities, labels) == pytest.approx([0.8 * 0.3 * 0.1, 0.9 * 0.95 * 0.95])


def test_the_threshold_is_the_lowest_with_the_precision():
    rng = np.random.default_rng(1)
    for _ in range(50):
        confidence, correct = rng.integers(0, 12, 30) / 12, rng.random(30) < 0.7
        shares = {t: correct[confidence >= t].mean() for t in np.unique(confidence)}
        reached = [t for t, share in shares.items() if share >= 0.8]
        result = threshold_for_precision(confidence, correct, 0.8)
        if not reached:
            assert result is None
            continue
        assert result.confidence == min(reached)
        assert result.samples == (confidence >= min(reached)).sum()
        assert result.precision == pytest.approx(shares[min(reached)])


def test_there_may_be_no_threshold():
    assert threshold_for_precision(np.array([0.9, 0.5]), np.array([False, True]), 0.9) is None
    assert threshold_for_precision(np.zeros(0), np.zeros(0, bool), 0.9) is None
