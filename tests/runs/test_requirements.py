"""Conditions of `--require`: parsed, checked by name before the work, and by value after it."""

import pytest

from ftaug.errors import ExperimentError, NotReached
from ftaug.experiment_file import load
from ftaug.runs.requirements import Requirement, check, check_names, names_in_training


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("accuracy>=0.9", ("accuracy", ">=", 0.9)),
        (" loss < 1e-3 ", ("loss", "<", 0.001)),
        ("r2>-1", ("r2", ">", -1.0)),
        ("top_5<=1", ("top_5", "<=", 1.0)),
        ("slices.worst.accuracy >= 0.8", ("slices.worst.accuracy", ">=", 0.8)),
        ("slices.lens type.accuracy.low>0.8", ("slices.lens type.accuracy.low", ">", 0.8)),
    ],
)
def test_a_condition_is_a_name_a_comparison_and_a_number(text, parsed):
    requirement = Requirement.parse(text)
    assert (requirement.name, requirement.comparison, requirement.bound) == parsed


@pytest.mark.parametrize(
    "text", ["", "accuracy", "accuracy=0.9", "accuracy>=", "accuracy>=high", "0.9<=accuracy", "a>1-2"]
)
def test_other_conditions_are_refused(text):
    with pytest.raises(ExperimentError, match=r"must be a comparison such as accuracy>=0\.9"):
        Requirement.parse(text)


@pytest.mark.parametrize(
    ("condition", "value", "holds"),
    [
        ("f1>=0.5", 0.5, True), ("f1>0.5", 0.5, False), ("f1<=0.5", 0.5, True), ("f1<0.5", 0.5, False),
        ("f1>0.5", 0.6, True), ("f1<0.5", 0.4, True), ("f1>=0.5", float("nan"), False), ("f1<0.5", float("nan"), False),
    ],
)  # fmt: skip
def test_a_bound_is_compared_as_written(condition, value, holds):
    if holds:
        check([Requirement.parse(condition)], {"f1": value})
    else:
        with pytest.raises(NotReached, match="required f1 "):
            check([Requirement.parse(condition)], {"f1": value})


def test_all_unmet_conditions_are_named():
    requirements = [Requirement.parse(text) for text in ("f1>0.9", "loss<1", "accuracy>0.99")]
    with pytest.raises(NotReached) as caught:
        check(requirements, {"f1": 0.5, "loss": 0.2, "accuracy": 0.98})
    assert str(caught.value).splitlines() == [
        "required f1 > 0.9, reached 0.5000",
        "required accuracy > 0.99, reached 0.9800",
    ]


def test_unknown_metrics_are_refused_before_the_work():
    check_names([Requirement.parse("f1>0")], ["f1", "loss"])
    with pytest.raises(ExperimentError, match=r"--require f11: .*; did you mean 'f1'"):
        check_names([Requirement.parse("f11>0")], ["f1", "loss"])
    with pytest.raises(ExperimentError, match=r"without data\.val"):
        check_names([Requirement.parse("f1>0")], [])


def test_the_metrics_that_training_may_report(tmp_path):
    path = tmp_path / "f.yaml"
    path.write_text("data: {train: digits, val: {split: 20%}}\nbackbone: {resnet20: {weights: none}}\n")
    assert names_in_training(load(path, ["evaluate.metrics=[f1]", "evaluate.best=f1"])) == {"loss", "f1"}
    assert {"loss", "accuracy"} <= names_in_training(load(path))
    assert names_in_training(load(path, ["data.val=null"])) == set()
