from dataclasses import replace

import pytest
from export_cases import of_image

from ftaug.components.exporters.metadata import description
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
