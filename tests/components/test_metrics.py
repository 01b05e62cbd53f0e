import time

import numpy as np
import pytest
import torch
from sklearn import metrics as sk
from torchmetrics.functional.classification import multiclass_calibration_error

import ftaug.components.metrics  # noqa: F401
from ftaug.config.kinds import metric as registry
from ftaug.interfaces.data import Task

AVERAGES = ["macro", "weighted", "micro"]
RANKING = {"auroc": sk.roc_auc_score, "average_precision": sk.average_precision_score}
DECIDING = {"precision": sk.precision_score, "recall": sk.recall_score, "f1": sk.f1_score}


def task(classes, multi_label=False):
    return Task(tuple(f"class {c}" for c in range(classes)), multi_label)


def single(seed, n=200, classes=6, decimals=8):
    """Probabilities that lean to the target; few decimals make ties."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, classes, n)
    logits = rng.normal(size=(n, classes)) + 1.5 * np.eye(classes)[targets]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return probabilities.round(decimals).astype(np.float32), targets


def multi(seed, n=200, classes=6, decimals=8):
    rng = np.random.default_rng(seed)
    targets = (rng.random((n, classes)) < 0.3).astype(np.uint8)
    logits = rng.normal(size=(n, classes)) + 2.0 * targets - 1.0
    return (1 / (1 + np.exp(-logits))).round(decimals).astype(np.float32), targets


def measure(name, probabilities, targets, multi_label=False, **settings):
    return registry[name].function(probabilities, targets, task(probabilities.shape[1], multi_label), **settings)


def test_every_registered_metric_is_tested_here():
    others = {"accuracy", "top_k", "balanced_accuracy", "ece"}
    elsewhere = {name for name in registry if not registry[name].function.__module__.endswith(".metrics")}
    assert set(registry) - elsewhere == {*RANKING, *DECIDING, *others}


def test_only_errors_are_better_when_lower():
    lower = {name for name in registry if not registry[name].facts["higher_is_better"]}
    assert lower == {"ece", "mae", "rmse", "mean_absolute_rank_error"} & set(registry)


@pytest.mark.parametrize("seed", range(3))
def test_accuracy_is_sklearns(seed):
    p, t = single(seed)
    assert measure("accuracy", p, t) == pytest.approx(sk.accuracy_score(t, p.argmax(axis=1)))
    p, t = multi(seed)
    assert measure("accuracy", p, t, True) == pytest.approx(sk.accuracy_score(t, p > 0.5))


@pytest.mark.parametrize("name", DECIDING)
@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("classes", [2, 6])
def test_precision_recall_and_f1_are_sklearns(name, average, classes):
    p, t = single(1, classes=classes)
    expected = DECIDING[name](t, p.argmax(axis=1), average=average)
    assert measure(name, p, t, average=average) == pytest.approx(expected)
    p, t = multi(1, classes=classes)
    assert measure(name, p, t, True, average=average) == pytest.approx(DECIDING[name](t, p > 0.5, average=average))


@pytest.mark.parametrize("name", DECIDING)
def test_a_class_neither_there_nor_predicted_is_left_out_and_one_missed_counts_as_zero(name):
    targets = np.array([0, 0, 1, 2])
    probabilities = np.eye(5, dtype=np.float32)[[0, 0, 1, 1]]
    expected = DECIDING[name](targets, probabilities.argmax(axis=1), average="macro", zero_division=0.0)
    assert measure(name, probabilities, targets) == pytest.approx(expected)
    assert expected < 1.0


def test_balanced_accuracy_is_sklearns():
    p, t = single(2)
    assert measure("balanced_accuracy", p, t) == pytest.approx(sk.balanced_accuracy_score(t, p.argmax(axis=1)))
    p, t = multi(2)
    each = [sk.balanced_accuracy_score(t[:, c], p[:, c] > 0.5) for c in range(6)]
    assert measure("balanced_accuracy", p, t, True) == pytest.approx(np.mean(each))


@pytest.mark.parametrize("k", [1, 2, 5, 6, 9])
def test_top_k_is_sklearns(k):
    p, t = single(3)
    expected = sk.top_k_accuracy_score(t, p, k=k, labels=range(6)) if k < 6 else 1.0
    assert measure("top_k", p, t, k=k) == pytest.approx(expected)


def test_top_1_is_accuracy_even_among_equals():
    p, t = single(4, n=500, classes=12, decimals=1)
    assert measure("top_k", p, t, k=1) == measure("accuracy", p, t)


def test_top_k_takes_exactly_k_of_equally_likely_classes():
    probabilities = np.full((8, 8), 0.125, np.float32)
    assert measure("top_k", probabilities, np.arange(8), k=3) == pytest.approx(3 / 8)


def test_top_k_of_several_labels_wants_them_all():
    probabilities = np.array([[0.9, 0.8, 0.1], [0.9, 0.1, 0.8]], np.float32)
    targets = np.array([[1, 1, 0], [1, 1, 0]], np.uint8)
    assert measure("top_k", probabilities, targets, True, k=2) == 0.5


def test_top_k_beyond_one_chunk_of_rows():
    p, t = single(5, n=10_000)
    assert measure("top_k", p, t, k=2) == pytest.approx(sk.top_k_accuracy_score(t, p, k=2))


@pytest.mark.parametrize("name", RANKING)
@pytest.mark.parametrize("average", ["macro", "weighted"])
@pytest.mark.parametrize("decimals", [8, 1])
def test_ranking_metrics_are_sklearns_with_and_without_ties(name, average, decimals):
    p, t = single(6, decimals=decimals)
    expected = RANKING[name](np.eye(6)[t], p, average=average)
    assert measure(name, p, t, average=average) == pytest.approx(expected)
    p, t = multi(6, decimals=decimals)
    assert measure(name, p, t, True, average=average) == pytest.approx(RANKING[name](t, p, average=average))


@pytest.mark.parametrize("name", RANKING)
def test_ranking_metrics_leave_out_classes_that_are_everywhere_or_nowhere(name):
    p, t = multi(7)
    t[:, 0], t[:, 1] = 0, 1
    assert measure(name, p, t, True) == pytest.approx(RANKING[name](t[:, 2:], p[:, 2:]))
    assert np.isnan(measure(name, p[:, :2], t[:, :2], True))


@pytest.mark.parametrize("bins", [1, 10, 15])
def test_ece_is_torchmetrics(bins):
    p, t = single(8)
    expected = multiclass_calibration_error(torch.from_numpy(p), torch.from_numpy(t), 6, n_bins=bins, norm="l1")
    assert measure("ece", p, t, bins=bins) == pytest.approx(float(expected), abs=1e-6)


def test_ece_of_several_labels_counts_every_decision():
    probabilities = np.array([[0.7, 0.3]] * 10, np.float32)
    targets = np.array([[1, 0]] * 6 + [[0, 0]] * 4, np.uint8)
    expected = abs((6 + 10) / 20 - 0.7)
    assert measure("ece", probabilities, targets, True, bins=1) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "multi_label"),
    [(n, kind == "multi_label") for n in registry for kind in registry[n].facts["tasks"] if kind != "regression"],
)
def test_a_perfect_model_scores_best_and_in_a_plain_float(name, multi_label):
    targets = np.arange(6) % 3
    probabilities = np.eye(3, dtype=np.float32)[targets]
    wanted = np.eye(3, dtype=np.uint8)[targets] if multi_label else targets
    value = measure(name, probabilities, wanted, multi_label)
    assert type(value) is float
    assert value == (1.0 if registry[name].facts["higher_is_better"] else 0.0)


@pytest.mark.parametrize("name", [name for name in registry if "single_label" in registry[name].facts["tasks"]])
def test_a_thousand_classes_are_fast(name):
    p, t = single(9, n=5_000, classes=1000)
    start = time.process_time()
    measure(name, p, t)
    assert time.process_time() - start < 3.0
