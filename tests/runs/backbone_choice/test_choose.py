"""The choice: the best backbone, or the cheapest of those that are equal within noise."""

import numpy as np
import pytest

from ftaug.errors import ExperimentError
from ftaug.experiment_file import load, open_experiment
from ftaug.interfaces.data import Task
from ftaug.runs.backbone_choice.candidates import Candidate, candidates_of
from ftaug.runs.backbone_choice.choose import BackboneResult, choose, comparable_metric, decide
from ftaug.runs.backbone_choice.cost import Cost
from ftaug.statistics.intervals import estimates
from ftaug.statistics.metric_table import standard_metrics
from ftaug.statistics.records import Records

TASK = Task(("a", "b"), False)
TARGETS = np.arange(400) % 2


def records(wrong):
    """Records with these wrong predictions."""
    predicted = TARGETS.copy()
    predicted[wrong] = 1 - predicted[wrong]
    return Records(TASK, np.eye(2)[predicted], TARGETS)


def decided(*wrong, costs):
    probed = [records(each) for each in wrong]
    metrics = {"accuracy": standard_metrics(TASK)["accuracy"]}
    results = [
        BackboneResult(Candidate(name, None), *[estimates(each, metrics)["accuracy"]] * 2, Cost(*cost, None))
        for name, each, cost in zip("xyz", probed, costs, strict=False)
    ]
    return decide("accuracy", results, probed)


def test_equal_within_noise_is_the_cheapest():
    choice = decided(slice(0, 20), slice(10, 34), slice(0, 200), costs=[(5, 50), (1, 10), (0.1, 1)])
    assert (choice.best, choice.equal, choice.chosen) == (0, [0, 1], 1)
    only_first, only_second = 14, 10  # 20–33 are wrong by the second alone, 0–9 by the first
    assert choice.differences[1].method == "mcnemar"
    assert choice.differences[1].value == pytest.approx((only_first - only_second) / 400)
    assert choice.differences[1].low < 0 < choice.differences[1].high


def test_a_better_one_is_chosen_at_any_cost():
    choice = decided(slice(0, 80), slice(0, 20), costs=[(1, 10), (50, 500)])
    assert (choice.best, choice.equal, choice.chosen) == (1, [1], 1)
    difference = choice.differences[0]
    assert difference.value == pytest.approx(60 / 400)
    assert 0 < difference.low < difference.value < difference.high


def test_of_equally_fast_ones_the_smaller():
    same = slice(0, 20)
    assert decided(same, same, same, costs=[(1.05, 10), (1.0, 20), (1.2, 1)]).chosen == 0


def test_a_pair_that_is_tested_among_many_needs_a_smaller_p():
    """Of one pair with p = 0.03 the better one is chosen; of three pairs it is not shown to be better."""
    first, second = slice(0, 4), slice(4, 18)  # McNemar: 4 against 14 of 18
    assert decided(first, second, costs=[(5, 5), (1, 1)]).chosen == 0
    assert decided(first, second, slice(4, 18), costs=[(5, 5), (1, 1), (1, 1)]).chosen == 1


@pytest.mark.parametrize(
    ("evaluate", "task", "name"),
    [
        ("{}", TASK, "accuracy"),
        ("{best: loss}", TASK, "nll"),
        ("{metrics: [f1], best: f1}", TASK, "f1_macro"),
        ("{metrics: [{top_k: {k: 2}}], best: top_k}", TASK, "top_2"),
        ("{metrics: [{top_k: {k: 7}}], best: top_k}", TASK, "accuracy"),
        ("{}", Task(("a", "b"), True), "average_precision_macro"),
        ("{}", Task(("x",), False, regression=True), "rmse"),
    ],
)
def test_the_metric_is_that_which_chooses_the_best_checkpoint(write, evaluate, task, name):
    experiment = load(write(f"data: {{train: digits}}\nbackbone: resnet20\nevaluate: {evaluate}\n"))
    assert comparable_metric(experiment, task) == name


def test_needs_validation(write):
    file = open_experiment(write("data: {train: digits, val: null}\nbackbone: resnet20\n"))
    with pytest.raises(ExperimentError, match=r"data\.val: is null"):
        choose(candidates_of(file, (), ["resnet20,{resnet20: {weights: none}}"]), "cpu")
