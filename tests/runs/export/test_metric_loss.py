"""What reduced precision costs in the metric, against NumPy and the formula of a paired standard error."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from ftaug.engine.loading.split import DataSplit
from ftaug.interfaces.data import Task
from ftaug.runs.export.metric_loss import metric_loss

SAMPLES = 200


def opened(best, higher_is_better, measure):
    """A run whose metric is a function of logits and targets."""
    metric = SimpleNamespace(name=best, fact=lambda name: higher_is_better)
    evaluate = SimpleNamespace(best=best, metrics=(metric,))

    def compute_metrics(logits, split):
        return SimpleNamespace(values={best: float(measure(logits, split.targets))})

    return SimpleNamespace(experiment=SimpleNamespace(evaluate=evaluate), compute_metrics=compute_metrics)


def accuracy(logits, targets):
    return (logits.argmax(axis=1) == targets).mean()


@pytest.fixture
def split():
    targets = np.random.default_rng(0).integers(3, size=SAMPLES)
    return DataSplit("val", None, np.arange(SAMPLES), targets, Task(("a", "b", "c")))


def right(split, wrong):
    """Logits that are right but for the first samples."""
    chosen = split.targets.copy()
    chosen[:wrong] = (chosen[:wrong] + 1) % 3
    return np.eye(3, dtype=np.float32)[chosen]


def test_a_score_loses_a_difference_with_the_error_of_pairs(split):
    loss = metric_loss(opened("accuracy", True, accuracy), split, right(split, 4), right(split, 10), 0.02)
    assert loss.value == pytest.approx(6 / SAMPLES)
    differences = np.r_[np.ones(6), np.zeros(SAMPLES - 6)]  # of whether a sample is right
    assert loss.standard_error == pytest.approx(differences.std() / np.sqrt(SAMPLES), rel=0.25)
    assert not loss.holds
    assert replace(loss, tolerance=0.03).holds


def test_what_is_better_is_always_allowed(split):
    loss = metric_loss(opened("accuracy", True, accuracy), split, right(split, 10), right(split, 4), 0)
    assert loss.value == pytest.approx(-6 / SAMPLES)
    assert loss.holds


@pytest.mark.parametrize(("before", "after", "lost"), [(0.5, 0.6, 0.2), (50.0, 60.0, 0.2), (0.5, 0.4, -0.2), (0, 0, 0)])
def test_an_error_loses_a_share(split, before, after, lost):
    logits = [np.full((SAMPLES, 1), value) for value in (before, after)]
    loss = metric_loss(opened("mae", False, lambda values, targets: values.mean()), split, *logits, 0.1)
    assert loss.value == pytest.approx(lost)
    assert loss.holds == (lost <= 0.1)


def test_a_metric_that_is_not_a_number_is_not_allowed(split):
    broken = opened("accuracy", True, lambda logits, targets: logits.mean())
    with np.errstate(all="ignore"):
        loss = metric_loss(broken, split, right(split, 0), right(split, 0) * np.nan, 1.0)
    assert not loss.holds
