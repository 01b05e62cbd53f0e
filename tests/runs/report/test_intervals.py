from types import SimpleNamespace

import numpy as np
import pytest
from predictions import single_label

from ftaug.errors import ExperimentError
from ftaug.runs.report import intervals
from ftaug.runs.requirements import Requirement, check

RECORDS = single_label(n=60, classes=3)
MEASURED = SimpleNamespace(probabilities=RECORDS.predictions, targets=RECORDS.targets)


def split(groups=None):
    """The last 60 of 80 samples."""
    samples = SimpleNamespace(groups=groups)
    return type("Split", (SimpleNamespace,), {"__len__": lambda self: 60})(
        samples=samples, ids=np.arange(20, 80), task=RECORDS.task
    )


def test_groups_are_those_of_the_samples_of_the_split():
    groups = np.arange(80) // 10
    assert intervals.records_of(MEASURED, split(groups)).groups.tolist() == groups[20:].tolist()
    methods = {r["method"] for r in intervals.report(MEASURED, split(groups)).values()}
    assert methods == {"cluster bootstrap"}
    assert intervals.report(MEASURED, split())["accuracy"]["method"] == "wilson"


def test_metrics_of_ranks_are_left_out_of_many_samples_and_classes():
    few, many = (intervals.interval_metrics(RECORDS.task, n) for n in (1000, 200_000))
    assert {"auroc_macro", "auroc_weighted"} <= set(few) - set(many)
    assert {"accuracy", "nll", "ece"} <= set(many)


def test_requirements_name_metrics_and_ends_of_intervals():
    report = {"metrics": {"loss": 0.5, "accuracy": 0.9}, "intervals": intervals.report(MEASURED, split())}
    values = intervals.required_values(report)
    assert set(values) <= {"loss", *intervals.requirement_names(RECORDS.task)}
    assert values["accuracy"] == 0.9 and values["accuracy.low"] < values["accuracy.high"]


def test_an_end_that_is_not_there_is_said():
    result = {"value": 0.0, "method": "none"}
    values = intervals.required_values({"metrics": {}, "intervals": {"mae": result}})
    with pytest.raises(ExperimentError, match=r"--require mae\.low: mae has no interval here; require mae itself"):
        check([Requirement.parse("mae.low<=1")], values)
