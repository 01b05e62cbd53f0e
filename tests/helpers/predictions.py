"""Records of random and of degenerate predictions, and a comparison of metrics with oracles under many weightings."""

import warnings

import numpy as np
import pytest

from ftaug.interfaces.data import Task
from ftaug.statistics.records import Records, WeightedRecords


def names(count):
    return tuple(f"class {i}" for i in range(count))


def single_label(seed=0, n=200, classes=5, lean=1.5, decimals=8, groups=None):
    """Few decimals make ties."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, classes, n)
    logits = rng.normal(size=(n, classes)) + lean * np.eye(classes)[targets]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return Records(Task(names(classes)), probabilities.round(decimals), targets, groups)


def multi_label(seed=0, n=200, labels=5, decimals=8):
    rng = np.random.default_rng(seed)
    targets = (rng.random((n, labels)) < 0.3).astype(np.uint8)
    logits = rng.normal(size=(n, labels)) + 2.0 * targets - 1
    return Records(Task(names(labels), multi_label=True), (1 / (1 + np.exp(-logits))).round(decimals), targets)


def regression(seed=0, n=200, numbers=2, decimals=8):
    rng = np.random.default_rng(seed)
    true = (rng.normal(size=(n, numbers)) * 3 + 10).round(decimals)
    predictions = (true + rng.normal(size=(n, numbers))).round(decimals)
    return Records(Task(names(numbers), regression=True), predictions, true)


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
    """Every metric, under each weighting, is its oracle on the records with weight: `oracle(records, weights)`."""
    sample = WeightedRecords(records, weightings(records))
    for name, oracle in oracles.items():
        values = metrics[name](sample)
        assert values.shape == (sample.weights.shape[1],), name
        for value, weights in zip(values, sample.weights.T, strict=True):
            drawn = weights > 0
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # scikit-learn warns of every degenerate case
                expected = oracle(records.select(drawn), weights[drawn])
            assert value == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True), name
