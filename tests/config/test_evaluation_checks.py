"""What is measured and chosen by contradicts itself: errors with a place."""

import pytest

SMALLEST = "data: {train: digits}\nbackbone: resnet18\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "evaluate: {metrics: accuracy, best: f1}",
            "3:37: evaluate.best must be one of the metrics, accuracy or loss; got f1",
        ),
        ("evaluate: {metrics: [f1, f1]}", "3:26: evaluate.metrics.1 is a duplicate of f1; list each metric once"),
        (
            "search: {best: f1}",
            "3:16: search.best must be one of the metrics, accuracy or loss; got f1",
        ),
        (
            "search: {ladder: {steps: [50%, 30%, 100%]}}",
            "3:26: search.ladder.steps must be two or more shares that ascend to 100%",
        ),
    ],
)
def test_what_is_measured(problems, text, line):
    (problem,) = problems(f"{SMALLEST}{text}\n")
    assert problem.startswith(f"f.yaml:{line}")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "evaluate: {best: loss}",
            "f.yaml:3:18: evaluate.best needs validation samples, but data.val is null; got loss",
        ),
        (
            "evaluate: {thresholds: f1}",
            "f.yaml:3:24: evaluate.thresholds are tuned on validation, but data.val is null; set it, or neither",
        ),
    ],
)
def test_what_needs_validation_samples(problems, text, line):
    assert line in problems(f"data: {{train: digits, val: null}}\nbackbone: resnet18\n{text}\n")
