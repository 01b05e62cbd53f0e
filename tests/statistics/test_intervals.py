"""Confidence intervals cover the true value as often as they say, by the exact binomial and by simulation."""

import json
import math
from functools import partial

import numpy as np
import pytest
from predictions import names, regression, single_label
from scipy import stats

from ftaug.interfaces.data import Task
from ftaug.statistics.intervals import estimates, wilson
from ftaug.statistics.metric_table import class_metrics, standard_metrics
from ftaug.statistics.records import Records

ACCURACY = {"accuracy": standard_metrics(single_label().task)["accuracy"]}


def decided(right, targets, classes, groups=None, rng=None):
    """Records whose predictions are right where they are said to be."""
    wrong = (targets + (rng or np.random.default_rng(0)).integers(1, classes, len(targets))) % classes
    chosen = np.where(right, targets, wrong)
    probabilities = np.full((len(targets), classes), 0.2 / (classes - 1))
    probabilities[np.arange(len(targets)), chosen] = 0.8
    return Records(Task(names(classes)), probabilities, targets, groups)


def independent(rng, n, p, classes=4):
    return decided(rng.random(n) < p, rng.integers(0, classes, n), classes, rng=rng)


def clustered(rng, groups, size, p, correlation=0.5):
    """Groups whose shares of right samples are beta-distributed: intraclass correlation 1/(a + b + 1)."""
    spread = (1 - correlation) / correlation
    shares = np.repeat(rng.beta(p * spread, (1 - p) * spread, groups), size)
    n = groups * size
    return decided(rng.random(n) < shares, rng.integers(0, 2, n), 2, np.repeat(np.arange(groups), size))


def coverage(draw, metrics, name, true, repetitions, draws=300):
    results = [estimates(draw(np.random.default_rng(s)), metrics, draws=draws)[name] for s in range(repetitions)]
    return np.mean([result.low <= true <= result.high for result in results])


def test_wilson_is_scipys():
    for successes, n in (
        (0, 1),
        (1, 1),
        (0, 5),
        (5, 5),
        (21, 23),
        (180, 200),
        (0, 40),
        (40, 40),
        (99, 100),
        (503, 1000),
    ):
        expected = stats.binomtest(successes, n).proportion_ci(0.95, "wilson")
        assert wilson(successes / n, n) == pytest.approx(tuple(expected), abs=1e-12)
        assert wilson(successes / n, n, 0.8) == pytest.approx(
            tuple(stats.binomtest(successes, n).proportion_ci(0.8, "wilson")), abs=1e-12
        )


@pytest.mark.parametrize(("p", "least"), [(0.5, 0.93), (0.8, 0.93), (0.95, 0.93), (0.99, 0.90)])
def test_exact_coverage_of_accuracy(p, least):
    """Summed over all outcomes. It oscillates with the size: below the bound at one size in a hundred, never by 1 %."""
    coverages = []
    for n in (*range(100, 300), *range(300, 3000, 97)):
        counts = np.arange(n + 1)
        ends = np.array([wilson(k / n, n) for k in counts])
        covered = (ends[:, 0] <= p) & (p <= ends[:, 1])
        coverages.append(stats.binom.pmf(counts, n, p)[covered].sum())
    assert np.mean(np.array(coverages) < least) <= 0.01
    assert min(coverages) >= least - 0.01
    assert np.mean(coverages) >= 0.945


def test_independent_accuracy_is_wilsons():
    records = single_label(n=150)
    result = estimates(records, ACCURACY)["accuracy"]
    assert result.method == "wilson" and result.few == ""
    assert (result.low, result.high) == wilson(records.correct.mean(), 150)


@pytest.mark.parametrize("p", [0.5, 0.8, 0.95])
def test_coverage_of_grouped_accuracy(p):
    """Intraclass correlation 0.5: the interval for independent samples covers less than 80 %."""
    draw = partial(clustered, groups=50, size=10, p=p)
    assert coverage(draw, ACCURACY, "accuracy", p, 100) >= 0.92
    naive = [wilson(draw(np.random.default_rng(s)).correct.mean(), 500) for s in range(100)]
    assert np.mean([low <= p <= high for low, high in naive]) < 0.8


@pytest.mark.slow
@pytest.mark.parametrize("p", [0.5, 0.8, 0.95, 0.99])
@pytest.mark.parametrize("groups", [20, 50, 200])
def test_coverage_of_grouped_accuracy_at_length(groups, p):
    assert coverage(partial(clustered, groups=groups, size=20, p=p), ACCURACY, "accuracy", p, 400) >= 0.92


@pytest.mark.parametrize("p", [0.8, 0.99])
@pytest.mark.parametrize("name", ["balanced_accuracy", "f1_macro", "mcc"])
def test_coverage_of_resampled_metrics(name, p):
    """With errors evenly over three wrong classes: balanced accuracy and F1 are p, MCC is (4 p − 1) / 3."""
    metrics = {name: standard_metrics(single_label().task)[name]}
    true = (4 * p - 1) / 3 if name == "mcc" else p
    assert coverage(partial(independent, n=150, p=p), metrics, name, true, 100) >= 0.92


def test_coverage_of_a_mean_error():
    draw = lambda rng: Records(  # noqa: E731
        Task(("x",), regression=True), rng.exponential(size=(60, 1)), np.zeros((60, 1))
    )
    metrics = {"mae": standard_metrics(regression().task)["mae"]}
    assert coverage(draw, metrics, "mae", 1.0, 200, draws=500) >= 0.92


@pytest.mark.parametrize(
    "records",
    [
        decided(np.ones(40, bool), np.arange(40) % 4, 4),
        decided(np.zeros(40, bool), np.arange(40) % 4, 4),
        decided(np.ones(40, bool), np.arange(40) % 4, 4, groups=np.arange(40) // 5),
        decided(np.ones(1, bool), np.array([2]), 4),
        decided(np.ones(5, bool), np.arange(5) % 4, 4, groups=np.zeros(5, int)),
    ],
    ids=["all right", "all wrong", "all right in groups", "one sample", "one group"],
)
def test_no_interval_has_width_zero(records):
    metrics = {**standard_metrics(records.task), **{f"class {n}": m for n, m in class_metrics(2).items()}}
    results = estimates(records, metrics, draws=200)
    for name, result in results.items():
        if result.method == "none":
            assert math.isnan(result.low) and math.isnan(result.high), name
        else:
            assert result.low < result.high and result.low <= result.value <= result.high, name
        assert result.few, name
    assert results["accuracy"].method != "none" and results["f1_macro"].method != "none"


def test_all_right_in_few_groups_is_worth_as_many_samples_as_groups():
    records = decided(np.ones(400, bool), np.arange(400) % 4, 4, groups=np.arange(400) // 50)
    result = estimates(records, ACCURACY, draws=200)["accuracy"]
    assert (result.low, result.high) == pytest.approx(wilson(1.0, 8))


def test_few_is_named():
    targets = np.arange(300) % 4
    for errors, few in ((19, "few errors"), (20, ""), (280, ""), (281, "few successes")):
        result = estimates(decided(np.arange(300) >= errors, targets, 4), ACCURACY)["accuracy"]
        assert result.few == few
    assert estimates(regression(n=19), standard_metrics(regression().task), draws=50)["mae"].few == "few samples"


def test_an_interval_of_a_calibration_error_is_not_moved_by_its_bias():
    """Of calibrated probabilities nearly all draws have a larger error than the data; the interval has not."""
    rng = np.random.default_rng(0)
    p = rng.uniform(0.2, 0.8, 500)
    records = Records(Task(names(2)), np.stack([1 - p, p], axis=1), (rng.random(500) < p).astype(int))
    result = estimates(records, {"ece": standard_metrics(records.task)["ece"]}, draws=500)["ece"]
    assert result.low < 0.5 * result.value


def test_numbers_without_a_range_have_no_interval_where_nothing_varies():
    records = regression(n=30)
    exact = Records(records.task, records.targets, records.targets)
    results = estimates(exact, standard_metrics(exact.task), draws=100)
    assert results["mae"].value == 0 and results["mae"].method == "none"
    assert json.loads(json.dumps(results["mae"].as_dict())) == {"value": 0.0, "method": "none"}


def test_no_records_have_no_numbers():
    empty = single_label(n=0)
    assert all(
        math.isnan(e.value) and e.method == "none" for e in estimates(empty, standard_metrics(empty.task)).values()
    )


def test_every_metric_has_an_interval_that_holds_it():
    records = single_label(n=1000, classes=4)
    results = estimates(records, standard_metrics(records.task))
    assert len(results) > 20
    for name, result in results.items():
        assert result.low < result.high and result.low <= result.value <= result.high, name
