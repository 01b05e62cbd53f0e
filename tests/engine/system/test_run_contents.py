"""The content of an evaluation is checked as far as reports read it, at any depth."""

import copy

import pytest
from pydantic import ValidationError

from ftaug.engine.system.run_contents import Evaluation

INTERVAL = {"value": 0.5, "low": 0.4, "high": 0.6, "method": "wilson"}
CLASS = {"class": "a", "samples": 2, "predicted": 1, "precision": 1.0, "recall": 0.5, "f1": 0.7, "intervals": {}}
SLICE = {"column": "size", "slice": "small", "samples": 3, "shrunken": -0.1, "adjusted_p": None, **INTERVAL}
CORRUPTION = {"corruption": "fog", "levels": [INTERVAL], "trained_on": [], **INTERVAL}
RESULTS = {
    "checkpoint": "step-0000001",
    "samples": 2,
    "metrics": {"accuracy": 0.5, "auroc": None},
    "intervals": {"accuracy": INTERVAL, "auroc": {"value": None}},
    "classes": [CLASS],
    "confusion": [[1]],
    "slices": {"metric": "accuracy", "worst": [SLICE], "notes": []},
    "corruptions": {
        "metric": "accuracy",
        "clean": INTERVAL,
        "mean": INTERVAL,
        "categories": {"weather": INTERVAL},
        "corruptions": [CORRUPTION],
    },
    "cautions": ["the data changed"],
}


def damaged(place, value):
    results = copy.deepcopy(RESULTS)
    *path, key = place
    holder = results
    for step in path:
        holder = holder[step]
    if value is None:
        del holder[key]
    else:
        holder[key] = value
    return results


def test_an_evaluation_of_every_kind_is_read():
    Evaluation.model_validate(RESULTS)
    Evaluation.model_validate(damaged(["confusion"], None))
    numbers = {"number": "height", "rmse": 1.0, "pearson": None}
    Evaluation.model_validate({**RESULTS, "classes": None, "numbers": [numbers]})


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (["classes", 0, "f1"], None),
        (["classes", 0, "samples"], "many"),
        (["classes", 0, "intervals"], []),
        (["classes"], 3),
        (["confusion", 0], {}),
        (["intervals", "accuracy", "value"], None),
        (["intervals", "accuracy", "low"], "x"),
        (["slices", "worst", 0, "shrunken"], None),
        (["slices", "notes"], None),
        (["corruptions", "corruptions"], []),
        (["corruptions", "corruptions", 0, "levels"], None),
        (["corruptions", "mean"], None),
        (["cautions"], 1),
        (["numbers"], []),
        (["metrics", "accuracy"], "x"),
    ],
)
def test_damage_at_any_depth_is_found(place, value):
    with pytest.raises(ValidationError):
        Evaluation.model_validate(damaged(place, value))
