import numpy as np
import pytest
from predictions import MULTI, SINGLE, assert_equal, multi_label, names, single_label
from sklearn import metrics as sk

from ftaug.interfaces.data import Task
from ftaug.statistics import probability_metrics as metrics
from ftaug.statistics.records import Records, WeightedRecords, unweighted


def calibrated(seed, n, spread=1.5):
    """Two classes whose probabilities are true."""
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-spread * rng.normal(size=n)))
    targets = (rng.random(n) < p).astype(int)
    return Records(Task(names(2)), np.stack([1 - p, p], axis=1), targets)


def by_loop(confidence, right, bins, weights):
    return (
        sum(
            abs(np.sum(weights[b] * right[b]) - np.sum(weights[b] * confidence[b]))
            for b in (bins == i for i in np.unique(bins))
        )
        / weights.sum()
    )


@pytest.mark.parametrize("records", SINGLE.values(), ids=SINGLE)
def test_nll_is_sklearns(records):
    oracle = {"nll": lambda r, w: sk.log_loss(r.targets, r.predictions, labels=range(r.classes), sample_weight=w)}
    assert_equal(records, oracle, {"nll": metrics.nll})


@pytest.mark.parametrize("records", SINGLE.values(), ids=SINGLE)
def test_brier_score_is_the_squared_error_and_sklearns(records):
    def oracle(r, w):
        squares = ((r.predictions - r.positive) ** 2).sum(axis=1) / (2 if r.classes == 2 else 1)
        if hasattr(sk, "d2_brier_score"):  # from this version on scikit-learn takes several classes
            labels = range(r.classes)
            expected = sk.brier_score_loss(r.targets, r.predictions, labels=labels, sample_weight=w)
            assert np.average(squares, weights=w) == pytest.approx(expected)
        return np.average(squares, weights=w)

    assert_equal(records, {"brier": oracle}, {"brier": metrics.brier})


@pytest.mark.parametrize("records", MULTI.values(), ids=MULTI)
def test_scores_of_labels_are_means_of_sklearns(records):
    def over_labels(score, **settings):
        def oracle(r, w):
            columns = zip(r.targets.T, r.predictions.T, strict=True)
            return np.mean([score(t, p, labels=[0, 1], sample_weight=w, **settings) for t, p in columns])

        return oracle

    oracles = {"nll": over_labels(sk.log_loss)}
    if hasattr(sk, "d2_brier_score"):
        oracles["brier"] = over_labels(sk.brier_score_loss, pos_label=1)
    assert_equal(records, oracles, {"nll": metrics.nll, "brier": metrics.brier})


@pytest.mark.parametrize("records", [single_label(1), multi_label(1)], ids=["classes", "labels"])
def test_calibration_errors_are_sums_over_bins(records):
    weights = np.random.default_rng(0).uniform(0.2, 2, (len(records), 2))
    confidence, right = metrics.confidences(records)
    repeated = np.repeat(weights, len(confidence) // len(records), axis=0)
    edges = np.sort(confidence)[np.round(np.arange(1, 15) / 15 * (len(confidence) - 1)).astype(int)]
    equal_mass = np.searchsorted(edges, confidence)
    sizes = np.bincount(metrics.equal_mass_bins(confidence, 15))
    assert sizes.max() - sizes.min() <= 2 and np.abs(np.bincount(equal_mass) - sizes).max() <= 2
    for value, bins in (
        (metrics.ece, np.digitize(confidence, np.arange(1, 15) / 15, right=True)),
        (metrics.ece_adaptive, metrics.equal_mass_bins(confidence, 15)),
    ):
        expected = [by_loop(confidence, right, bins, w) for w in repeated.T]
        assert value(WeightedRecords(records, weights)) == pytest.approx(expected)


def test_debiasing_takes_away_what_chance_adds():
    """With a true gap of 0, |gap| is 0.80 and E|N(gap, 1)| 1.13 standard deviations: 59 % of the chance part remain."""
    plain, debiased = (
        np.mean([value(unweighted(calibrated(seed, 1000)))[0] for seed in range(40)])
        for value in (metrics.ece_adaptive, metrics.ece_debiased)
    )
    assert plain > 0.025
    assert debiased == pytest.approx((2 - 2**0.5) * plain, rel=0.1)


def test_debiasing_keeps_a_true_error():
    records = calibrated(0, 20_000)
    sharper = records.predictions**3 / (records.predictions**3).sum(axis=1, keepdims=True)
    records = Records(records.task, sharper, records.targets)
    assert metrics.ece_debiased(unweighted(records))[0] == pytest.approx(
        metrics.ece_adaptive(unweighted(records))[0], rel=0.02
    )


def test_folded_normal_mean_is_that_of_draws():
    draws = np.abs(np.random.default_rng(0).normal(0.3, 0.5, 400_000)).mean()
    value = metrics._mean_absolute_normal(np.array([0.3, -0.3, 0.2]), np.array([0.5, 0.5, 0.0]))
    assert value == pytest.approx([draws, draws, 0.2], rel=5e-3)


def test_nll_of_a_certain_error_is_finite():
    records = Records(Task(names(2)), np.array([[1.0, 0.0]], np.float32), np.array([1]))
    assert metrics.nll(unweighted(records)) == pytest.approx(-np.log(np.finfo(np.float32).eps))
