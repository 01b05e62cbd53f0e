"""The metrics by name, against those of `evaluate`; each is compared with scikit-learn in the tests of its module."""

import numpy as np
import pytest
from predictions import SINGLE, multi_label, names, regression, single_label

import ftaug.components.metrics
import ftaug.components.regression_metrics  # noqa: F401
from ftaug.config.kinds import metric as components
from ftaug.interfaces.data import Task
from ftaug.statistics.metric_table import standard_metrics
from ftaug.statistics.records import Records, unweighted

AVERAGES = ("macro", "weighted", "micro")


@pytest.mark.parametrize("kind", [single_label, multi_label, regression])
@pytest.mark.parametrize("decimals", [8, 1])
def test_metrics_are_those_of_evaluate(kind, decimals):
    """One definition: the components compute the same."""
    records = kind(7, decimals=decimals)
    sample, metrics = unweighted(records), standard_metrics(records.task)
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
            {"kappa", "kappa_quadratic", *(f"{n}_{a}" for n in ("auroc", "average_precision") for a in AVERAGES[:2])},
        ),
    ],
    ids=["constant targets", "one number", "one sample"],
)
def test_what_is_not_defined_is_nan(records, undefined):
    values = {name: metric.value(unweighted(records))[0] for name, metric in standard_metrics(records.task).items()}
    assert {name for name, value in values.items() if np.isnan(value)} == undefined
