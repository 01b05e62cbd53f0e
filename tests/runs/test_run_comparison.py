"""Sides, the choice of metrics, and samples that are paired."""

from dataclasses import replace
from pathlib import Path

import pytest
from predictions import from_classes, single_label

from ftaug.errors import ExperimentError
from ftaug.interfaces.data import Task
from ftaug.runs.compared_runs import RunSettings
from ftaug.runs.run_comparison import Side, choose_metrics, compare_sides, group_by_settings
from ftaug.runs.sample_records import SampleRecords
from ftaug.statistics.metric_table import standard_metrics

TASK = Task(("a", "b", "c"))


def run(name, seed, **settings):
    return RunSettings(Path(name), TASK, {key: str(value) for key, value in settings.items()}, str(seed), False)


def test_runs_are_grouped_by_their_settings_in_order():
    a1, b1, a2, b2 = run("a1", 1, lr=1), run("b1", 1, lr=2), run("a2", 2, lr=1), run("b2", 2, lr=2)
    assert group_by_settings([a1, b1, a2, b2]) == [[a1, a2], [b1, b2]]
    again = run("again", 1, lr=1)  # the same seed once more is no other seed
    assert group_by_settings([a1, a2, again]) == [[a1, a2], [again]]
    with pytest.raises(ExperimentError, match="a1 and a2 differ by their seed alone"):
        group_by_settings([a1, a2])


def test_metrics_of_all_probabilities_need_the_records_of_all_classes():
    many = Task(tuple(f"c{i}" for i in range(1001)))
    runs = [replace(run("a", 1), task=many)]
    metrics, notes = choose_metrics(["nll", "top_5"], runs)
    assert (list(metrics), notes) == (["nll", "top_5"], [])
    for name in ("brier", "auroc_macro", "average_precision_weighted"):
        with pytest.raises(ExperimentError, match=f"--metric {name}: has no interval"):
            choose_metrics([name], runs)
        assert list(choose_metrics([name], [run("a", 1)])[0]) == [name]


def side(name, records, ids=None):
    ids = [f"{i:04}" for i in range(len(records))] if ids is None else ids
    return Side([run(name, 1, lr=name)], [SampleRecords(Path(name), ids, records, True)])


def test_all_comparisons_are_corrected_together():
    base = single_label(n=200, classes=3)
    sides = [side("a", base), *(side(f"b{seed}", single_label(seed, n=200, classes=3)) for seed in (0, 0, 0))]
    noisy = [
        Side(each.runs, [replace(s, records=replace(s.records, predictions=s.records.predictions[::-1]))])
        for each in sides[1:]
        for s in each.samples
    ]
    metrics = {name: standard_metrics(TASK)[name] for name in ("accuracy", "brier")}
    comparison = compare_sides([sides[0], *noisy], metrics)
    assert len(comparison.differences) == 6 and comparison.paired
    smallest = min(comparison.differences, key=lambda row: row.difference.p)
    assert smallest.difference.adjusted_p == pytest.approx(6 * smallest.difference.p)


def test_few_errors_of_either_side_are_marked():
    targets = [0, 1, 2] * 20
    right, wrong = from_classes(targets, targets), from_classes([0] * 60, targets)
    metrics = {"accuracy": standard_metrics(TASK)["accuracy"]}
    (row,) = compare_sides([side("a", wrong), side("b", right)], metrics).differences
    assert row.few == "few errors"
