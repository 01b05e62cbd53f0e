"""Records of random predictions that lean to the truth."""

import numpy as np

from ftaug.interfaces.data import Task
from ftaug.statistics.records import Records


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
