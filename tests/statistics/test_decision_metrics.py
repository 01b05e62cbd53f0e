"""Metrics of decisions under weights and on degenerate data, against scikit-learn with `sample_weight`."""

from functools import partial

import numpy as np
import pytest
from predictions import MULTI, SINGLE, assert_equal, names, single_label
from sklearn import metrics as sk

from ftaug.interfaces.data import Task
from ftaug.statistics import decision_metrics as metrics
from ftaug.statistics.metric_table import class_metrics, standard_metrics
from ftaug.statistics.records import Records

AVERAGES = ("macro", "weighted", "micro")
DECIDING = {"precision": sk.precision_score, "recall": sk.recall_score, "f1": sk.f1_score}


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


COMMON = {f"{name}_{average}": deciding(score, average) for name, score in DECIDING.items() for average in AVERAGES}
COMPUTED = {
    f"{name}_{average}": partial(getattr(metrics, name), average=average) for name in DECIDING for average in AVERAGES
}
ORACLES = {
    "accuracy": lambda r, w: sk.accuracy_score(r.targets, r.predicted_class, sample_weight=w),
    "balanced_accuracy": lambda r, w: sk.balanced_accuracy_score(r.targets, r.predicted_class, sample_weight=w),
    "mcc": lambda r, w: sk.matthews_corrcoef(r.targets, r.predicted_class, sample_weight=w),
    "kappa": lambda r, w: sk.cohen_kappa_score(r.targets, r.predicted_class, sample_weight=w),
    "kappa_quadratic": lambda r, w: sk.cohen_kappa_score(
        r.targets, r.predicted_class, weights="quadratic", labels=range(r.classes), sample_weight=w
    ),
}


@pytest.mark.parametrize("records", SINGLE.values(), ids=SINGLE)
def test_single_label_metrics_are_sklearns(records):
    computed = COMPUTED | {name: getattr(metrics, name) for name in ORACLES if name != "accuracy"}
    computed |= {"accuracy": standard_metrics(records.task)["accuracy"].value}
    assert_equal(records, COMMON | ORACLES, computed)


@pytest.mark.parametrize("records", MULTI.values(), ids=MULTI)
def test_multi_label_metrics_are_sklearns(records):
    exact_match = {"accuracy": lambda r, w: sk.accuracy_score(r.positive, r.decided, sample_weight=w)}
    assert_equal(
        records, COMMON | exact_match, COMPUTED | {"accuracy": standard_metrics(records.task)["accuracy"].value}
    )


@pytest.mark.parametrize(
    "records", [*SINGLE.values(), *MULTI.values()], ids=[*SINGLE, *(f"labels, {k}" for k in MULTI)]
)
def test_class_metrics_are_sklearns(records):
    for index in range(records.classes):
        oracles = {name: of_class(score, index) for name, score in DECIDING.items()}
        assert_equal(records, oracles, {name: metric.value for name, metric in class_metrics(index).items()})


def test_top_k_is_sklearns():
    records = single_label(5, classes=8)
    oracle = {"top_5": lambda r, w: sk.top_k_accuracy_score(r.targets, r.predictions, k=5, sample_weight=w)}
    assert_equal(records, oracle, {"top_5": standard_metrics(records.task)["top_5"].value})


def test_ties_at_the_kth_place_go_to_the_first_classes():
    records = Records(Task(names(4)), np.full((4, 4), 0.25), np.arange(4))
    assert metrics.among_top_k(records, 2).tolist() == [True, True, False, False]
