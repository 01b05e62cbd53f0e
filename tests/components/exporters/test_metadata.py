from dataclasses import replace

import numpy as np
import pytest
from export_cases import of_image

from ftaug.components.exporters.metadata import description, uncalibrated_thresholds
from ftaug.interfaces.data import Task


@pytest.mark.parametrize(
    ("task", "ordered", "expected"),
    [
        (Task(("a", "b")), False, {"task": "single_label", "decision": "argmax", "class_order": "by code point"}),
        (Task(("b", "a")), False, {"task": "single_label", "decision": "argmax", "class_order": "as in the data"}),
        (Task(("bad", "ok")), True, {"task": "ordinal", "decision": "argmax", "class_order": "ascending"}),
        (
            Task(("a", "b"), multi_label=True),
            False,
            {"task": "multi_label", "decision": "above_threshold", "thresholds": [0.5, 0.5]},
        ),
        (
            Task(("a", "b"), multi_label=True, thresholds=(0.25, 0.75)),
            False,
            {"task": "multi_label", "decision": "above_threshold", "thresholds": [0.25, 0.75]},
        ),
        (
            Task(("cm", "kg"), regression=True),
            False,
            {
                "task": "regression",
                "decision": "value",
                "units": {"cm": "as in the training labels", "kg": "as in the training labels"},
            },
        ),
    ],
)
def test_an_export_says_how_it_is_decided_with(task, ordered, expected):
    about = description(replace(of_image().bundle, task=task, ordered=ordered))
    assert {key: about[key] for key in expected} == expected
    assert ("thresholds" in about) is task.multi_label
    assert ("units" in about) is task.regression


CALIBRATION = {"method": "vector", "scale": [0.5, 3.0], "bias": [1.0, -2.0]}


def test_the_calibration_is_described_where_there_is_one():
    bundle = of_image().bundle
    assert "calibration" not in description(bundle)
    assert description(replace(bundle, calibration=CALIBRATION))["calibration"] == CALIBRATION


@pytest.mark.parametrize("thresholds", [None, (0.2, 0.9)])
def test_uncalibrated_thresholds_decide_as_the_calibrated_ones(thresholds):
    task = Task(("a", "b"), multi_label=True, thresholds=thresholds)
    logits = np.random.default_rng(0).normal(size=(300, 2)) * 4
    calibrated = 1 / (1 + np.exp(-(logits * CALIBRATION["scale"] + CALIBRATION["bias"])))
    bundle = replace(of_image().bundle, task=task, calibration=CALIBRATION)
    uncalibrated = 1 / (1 + np.exp(-logits)) > uncalibrated_thresholds(bundle)
    assert (uncalibrated == task.present(calibrated)).all() and uncalibrated.any()
    assert uncalibrated_thresholds(replace(bundle, calibration=None)) == (thresholds and list(thresholds))
