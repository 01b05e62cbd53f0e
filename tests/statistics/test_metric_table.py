"""Every metric, under weights and on degenerate data, against scikit-learn with `sample_weight` and the components."""

import warnings

import numpy as np
import pytest
from predictions import multi_label, names, regression, single_label
from scipy import stats
from sklearn import metrics as sk

import ftaug.components.losses.regression
import ftaug.components.metrics  # noqa: F401
from ftaug.config.kinds import metric as components
from ftaug.interfaces.data import Task
from ftaug.statistics.metric_table import class_metrics, standard_metrics
from ftaug.statistics.records import Records, WeightedRecords, unweighted

AVERAGES = ("macro", "weighted", "micro")
DECIDING = {"precision": sk.precision_score, "recall": sk.recall_score, "f1": sk.f1_score}
RANKING = {"auroc": sk.roc_auc_score, "average_precision": sk.average_precision_score}


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of every degenerate case
        yield


def from_classes(chosen, targets, classes=3):
    """Records whose predictions are decided classes."""
    probabilities = np.full((len(chosen), classes), 0.1 / (classes - 1))
    probabilities[np.arange(len(chosen)), chosen] = 0.9
    return Records(Task(names(classes)), probabilities, np.array(targets))


SINGLE = {
    "random": single_label(1),
    "ties": single_label(2, decimals=1),
    "two classes": single_label(3, classes=2),
    "a class is missing": single_label(4, n=60, classes=3).select(
        np.flatnonzero(single_label(4, n=60, classes=3).targets)
    ),
    "all right": from_classes([0, 1, 2, 2], [0, 1, 2, 2]),
    "all wrong": from_classes([1, 2, 0, 0], [0, 1, 2, 2]),
    "one class is predicted": from_classes([1, 1, 1, 1], [0, 1, 2, 2]),
    "one sample, right": from_classes([1], [1]),
    "one sample, wrong": from_classes([1], [2]),
}
MULTI = {
    "random": multi_label(1),
    "ties": multi_label(2, decimals=1),
    "a label is missing": Records(Task(names(2), True), np.array([[0.1, 0.8], [0.2, 0.3]]), np.array([[0, 1], [0, 0]])),
    "one sample": Records(Task(names(2), True), np.array([[0.1, 0.8]]), np.array([[0, 1]])),
}
NUMBERS = {
    "random": regression(1),
    "ties": regression(2, decimals=0),
    "one number": regression(3, numbers=1),
    "all right": Records(
        Task(names(1), regression=True), np.array([[1.0], [2.0], [4.0]]), np.array([[1.0], [2.0], [4.0]])
    ),
}


def weightings(records):
    """Unit weights, real weights, and counts as a bootstrap draws them."""
    rng = np.random.default_rng(0)
    n = len(records)
    columns = [np.ones(n), rng.uniform(0.1, 3, n)]
    if n > 50:
        columns.append(rng.multinomial(n, np.full(n, 1 / n)).astype(float))
    return np.stack(columns, axis=1)


def assert_equal(records, oracles, metrics):
    sample = WeightedRecords(records, weightings(records))
    for name, oracle in oracles.items():
        values = metrics[name].value(sample)
        assert values.shape == (sample.weights.shape[1],), name
        for value, weights in zip(values, sample.weights.T, strict=True):
            drawn = weights > 0
            expected = oracle(records.select(drawn), weights[drawn])
            assert value == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True), name


def binary(score, index):
    """scikit-learn's score of a class against the rest; nan where it is not defined."""

    def oracle(r, w):
        positive = r.positive[:, index]
        return score(positive, r.predictions[:, index], sample_weight=w) if 0 < positive.sum() < len(r) else np.nan

    return oracle


def over_classes(score, average):
    def oracle(r, w):
        values = np.array([binary(score, c)(r, w) for c in range(r.classes)])
        shares = w @ r.positive if average == "weighted" else np.ones(r.classes)
        defined = ~np.isnan(values)
        return np.average(values[defined], weights=shares[defined]) if defined.any() else np.nan

    return oracle


def deciding(score, average):
    def oracle(r, w):
        true, chosen = (r.positive, r.decided) if r.task.multi_label else (r.targets, r.predicted_class)
        if r.task.multi_label:  # scikit-learn averages over labels that are neither present nor predicted too
            seen = np.flatnonzero(true.any(axis=0) | chosen.any(axis=0))
            return score(true, chosen, labels=seen, average=average, sample_weight=w, zero_division=0)
        return score(true, chosen, average=average, sample_weight=w, zero_division=0)

    return oracle


def of_class(score, index):
    return lambda r, w: score(r.positive[:, index], r.decided[:, index], sample_weight=w, zero_division=0)


COMMON = {
    **{f"{name}_{average}": deciding(score, average) for name, score in DECIDING.items() for average in AVERAGES},
    **{f"{n}_{a}": over_classes(score, a) for n, score in RANKING.items() for a in AVERAGES[:2]},
}
ORACLES = COMMON | {
    "accuracy": lambda r, w: sk.accuracy_score(r.targets, r.predicted_class, sample_weight=w),
    "balanced_accuracy": lambda r, w: sk.balanced_accuracy_score(r.targets, r.predicted_class, sample_weight=w),
    "mcc": lambda r, w: sk.matthews_corrcoef(r.targets, r.predicted_class, sample_weight=w),
    "kappa": lambda r, w: sk.cohen_kappa_score(r.targets, r.predicted_class, sample_weight=w),
    "kappa_quadratic": lambda r, w: sk.cohen_kappa_score(
        r.targets, r.predicted_class, weights="quadratic", labels=range(r.classes), sample_weight=w
    ),
    "nll": lambda r, w: sk.log_loss(r.targets, r.predictions, labels=range(r.classes), sample_weight=w),
}
MULTI_ORACLES = COMMON | {
    "accuracy": lambda r, w: sk.accuracy_score(r.positive, r.decided, sample_weight=w),
    "nll": lambda r, w: np.mean(
        [sk.log_loss(t, p, labels=[0, 1], sample_weight=w) for t, p in zip(r.targets.T, r.predictions.T, strict=True)]
    ),
    "brier": lambda r, w: np.mean(
        [
            sk.brier_score_loss(t, p, labels=[0, 1], pos_label=1, sample_weight=w)
            for t, p in zip(r.targets.T, r.predictions.T, strict=True)
        ]
    ),
}
NUMBER_ORACLES = {
    "mae": lambda r, w: sk.mean_absolute_error(r.targets, r.predictions, sample_weight=w),
    "rmse": lambda r, w: sk.root_mean_squared_error(r.targets, r.predictions, sample_weight=w),
    "r2": lambda r, w: sk.r2_score(r.targets, r.predictions, sample_weight=w),
}


@pytest.mark.parametrize("records", SINGLE.values(), ids=SINGLE)
def test_single_label_metrics_are_sklearns(records):
    assert_equal(records, ORACLES, standard_metrics(records))


@pytest.mark.parametrize("records", SINGLE.values(), ids=SINGLE)
def test_brier_is_sklearns(records):
    sample = WeightedRecords(records, weightings(records))
    values = standard_metrics(records)["brier"].value(sample)
    squares = ((records.predictions - records.positive) ** 2).sum(axis=1) / (2 if records.classes == 2 else 1)
    assert values == pytest.approx([np.average(squares, weights=w) for w in sample.weights.T])
    if hasattr(sk, "d2_brier_score"):  # since then several classes are taken
        labels = range(records.classes)
        expected = [
            sk.brier_score_loss(records.targets, records.predictions, labels=labels, sample_weight=w)
            for w in sample.weights.T
        ]
        assert values == pytest.approx(expected)


@pytest.mark.parametrize("records", MULTI.values(), ids=MULTI)
def test_multi_label_metrics_are_sklearns(records):
    assert_equal(records, MULTI_ORACLES, standard_metrics(records))


@pytest.mark.parametrize("records", NUMBERS.values(), ids=NUMBERS)
def test_regression_metrics_are_sklearns(records):
    assert_equal(records, NUMBER_ORACLES, standard_metrics(records))


@pytest.mark.parametrize(
    "records", [*SINGLE.values(), *MULTI.values()], ids=[*SINGLE, *(f"labels, {k}" for k in MULTI)]
)
def test_class_metrics_are_sklearns(records):
    for index in range(records.classes):
        scores = {name: of_class(score, index) for name, score in DECIDING.items()}
        ranks = {name: binary(score, index) for name, score in RANKING.items()}
        assert_equal(records, scores | ranks, class_metrics(index))


@pytest.mark.parametrize("records", [NUMBERS["random"], NUMBERS["ties"]], ids=["random", "ties"])
def test_correlations_under_counts_are_scipys_of_the_repeated_samples(records):
    counts = weightings(records)[:, [0, 2]]
    metrics = standard_metrics(records)
    for name, oracle in (("pearson", stats.pearsonr), ("spearman", stats.spearmanr)):
        values = metrics[name].value(WeightedRecords(records, counts))
        for value, count in zip(values, counts.T.astype(int), strict=True):
            pairs = zip(records.predictions.T, records.targets.T, strict=True)
            expected = [oracle(np.repeat(a, count), np.repeat(b, count)).statistic for a, b in pairs]
            assert value == pytest.approx(np.mean(expected))


def test_top_k_is_sklearns():
    records = single_label(5, classes=8)
    value = standard_metrics(records)["top_5"].value(WeightedRecords(records, weightings(records)))
    expected = [
        sk.top_k_accuracy_score(records.targets, records.predictions, k=5, sample_weight=w)
        for w in weightings(records).T
    ]
    assert value == pytest.approx(expected)


@pytest.mark.parametrize("kind", [single_label, multi_label, regression])
@pytest.mark.parametrize("decimals", [8, 1])
def test_metrics_are_those_of_evaluate(kind, decimals):
    """One definition: the components compute the same."""
    records = kind(7, decimals=decimals)
    sample, metrics = unweighted(records), standard_metrics(records)
    arguments = records.predictions, records.targets, records.task
    compared = 0
    for name, metric in metrics.items():
        base, _, average = name.rpartition("_")
        settings = {"average": average} if average in AVERAGES else {"k": 5} if name == "top_5" else {}
        base = {"top_5": "top_k"}.get(name, base if average in AVERAGES else name)
        if base in components:
            expected = components[base].function(*arguments, **settings)
            assert metric.value(sample)[0] == pytest.approx(expected, rel=1e-12), name
            compared += 1
    assert compared >= (5 if records.task.regression else 15)


@pytest.mark.parametrize(
    ("records", "undefined"),
    [
        (
            Records(Task(names(1), regression=True), np.array([[1.0], [2.0]]), np.array([[3.1], [3.1]])),
            {"r2", "pearson", "spearman"},
        ),
        (Records(Task(names(1), regression=True), np.array([[1.0]]), np.array([[2.0]])), {"r2", "pearson", "spearman"}),
        (
            SINGLE["one sample, right"],
            {"kappa", "kappa_quadratic", *(f"{n}_{a}" for n in RANKING for a in AVERAGES[:2])},
        ),
    ],
    ids=["constant targets", "one number", "one sample"],
)
def test_what_is_not_defined_is_nan(records, undefined):
    values = {name: metric.value(unweighted(records))[0] for name, metric in standard_metrics(records).items()}
    assert {name for name, value in values.items() if np.isnan(value)} == undefined
