"""`ftaug compare` on records that are written here, and on runs that are trained and evaluated."""

import json
from dataclasses import replace

import numpy as np
import pytest
from evaluated_runs import write_run
from predictions import multi_label, regression, single_label
from scipy.stats import binomtest
from sklearn import metrics as sk

from ftaug.cli import run
from ftaug.runs.trained_model import TrainedModel
from ftaug.statistics.records import Records

BASE = single_label(n=300, classes=3, lean=1.0)


def improved(records, share, seed=0):
    """Records with that share of the samples predicted right."""
    rng = np.random.default_rng(seed)
    predictions = records.predictions.copy()
    rows = rng.random(len(records)) < share
    predictions[rows] = 0.05
    predictions[rows, records.targets[rows]] = 0.9
    return replace(records, predictions=predictions)


def perturbed(records, seed):
    """The predictions of another seed."""
    noise = np.random.default_rng(seed).dirichlet(np.ones(records.classes), len(records))
    return replace(records, predictions=0.8 * records.predictions + 0.2 * noise)


@pytest.fixture
def runs(tmp_path):
    """A run, and one with another learning rate that is better."""
    write_run(tmp_path / "a", BASE, lr={"peak": 0.1})
    write_run(tmp_path / "b", improved(BASE, 0.3), lr={"peak": 0.01}, batch=8)
    return [str(tmp_path / "a"), str(tmp_path / "b")]


def compared(capsys, *arguments):
    assert run(["compare", *map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_difference_has_an_interval_and_the_exact_test(runs, capsys):
    report = compared(capsys, *runs, "--metric", "accuracy", "--metric", "nll")
    accuracy, nll = report["comparisons"]
    a, b = BASE, improved(BASE, 0.3)
    right = [records.predictions.argmax(axis=1) == records.targets for records in (a, b)]
    assert accuracy["difference"] == pytest.approx(right[1].mean() - right[0].mean())
    only = int((right[1] & ~right[0]).sum()), int((right[0] & ~right[1]).sum())
    assert accuracy["p"] == pytest.approx(binomtest(only[0], sum(only)).pvalue)
    assert (accuracy["method"], accuracy["better"]) == ("mcnemar", runs[1])
    losses = [sk.log_loss(r.targets, r.predictions / r.predictions.sum(axis=1, keepdims=True)) for r in (a, b)]
    assert nll["difference"] == pytest.approx(losses[1] - losses[0], rel=1e-2)
    assert nll["low"] < nll["difference"] < nll["high"] < 0 and nll["better"] == runs[1]
    smaller, larger = sorted([accuracy, nll], key=lambda each: each["p"])
    assert smaller["adjusted_p"] == pytest.approx(2 * smaller["p"])  # Holm over both comparisons
    assert larger["adjusted_p"] == pytest.approx(max(larger["p"], 2 * smaller["p"]))
    assert report["settings"] == {runs[1]: {"lr.peak": ["0.1", "0.01"], "batch": ["not set", "8"]}}
    assert report["paired"] and report["samples"] == 300
    assert "another seed" in report["notes"][0]


def test_the_order_of_the_rows_does_not_matter(runs, tmp_path, capsys):
    before = compared(capsys, *runs)
    path = tmp_path / "b" / "report" / "test.samples.csv"
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *reversed(rows)]) + "\n")
    assert compared(capsys, *runs) == before


def test_the_screen_fits_80_columns(runs, monkeypatch, capsys):
    from ftaug.runs.report import console

    monkeypatch.setattr(console, "WIDE", 80)
    assert run(["compare", *runs, "--metric", "average_precision_weighted", "--metric", "accuracy"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"{runs[1]} is better in average_precision_weighted, accuracy" in lines
    assert "  lr.peak: 0.1 → 0.01" in lines and any("<0.0001" in line for line in lines)
    assert not any("…" in line for line in lines)


def test_seeds_are_one_side(tmp_path, capsys):
    sides = [
        [write_run(tmp_path / f"{name}{seed}", perturbed(records, seed), seed=seed, lr=rate) for seed in (1, 2, 3)]
        for name, records, rate in (("a", BASE, 0.1), ("b", improved(BASE, 0.3), 0.2))
    ]
    mixed = [sides[0][0], sides[1][0], sides[0][1], sides[1][2], sides[0][2], sides[1][1]]
    report = compared(capsys, *mixed)
    assert [side["seeds"] for side in report["sides"]] == [["1", "2", "3"], ["1", "3", "2"]]
    (accuracy,) = report["comparisons"]
    means = [
        np.mean([sk.accuracy_score(BASE.targets, perturbed(r, s).predictions.argmax(axis=1)) for s in (1, 2, 3)])
        for r in (BASE, improved(BASE, 0.3))
    ]
    assert [accuracy[side]["value"] for side in ("first", "second")] == pytest.approx(means)
    assert accuracy["method"] == "paired bootstrap"
    assert -1 <= accuracy["low"] < accuracy["high"] <= 1
    assert report["notes"] == [] and report["settings"][report["sides"][1]["run"]] == {"lr": ["0.1", "0.2"]}
    assert run(["compare", *map(str, sides[0])]) == 2
    assert "differ by their seed alone, which makes them one side" in capsys.readouterr().err


@pytest.mark.parametrize("groups", [False, True])
def test_samples_in_part_the_same_are_compared_unpaired(tmp_path, capsys, groups):
    groups = np.arange(300) // 3 if groups else None
    write_run(tmp_path / "a", replace(BASE, groups=groups), lr=1)
    shifted = replace(BASE, predictions=np.roll(BASE.predictions, -100, 0), targets=np.roll(BASE.targets, -100))
    write_run(tmp_path / "b", replace(shifted, groups=groups), lr=2, start=100)
    report = compared(capsys, tmp_path / "a", tmp_path / "b")
    assert not report["paired"] and "300 and 300, 200 of them in both" in report["notes"][0]
    assert report["comparisons"][0]["method"] == "unpaired bootstrap"


def test_groups_of_either_run_are_drawn_as_a_whole(tmp_path, capsys):
    groups = np.arange(300) // 30
    write_run(tmp_path / "a", BASE, lr=1)
    write_run(tmp_path / "b", replace(improved(BASE, 0.1), groups=groups), lr=2)
    write_run(tmp_path / "c", replace(BASE, groups=groups.max() - groups), lr=1)
    reports = [compared(capsys, tmp_path / first, tmp_path / "b") for first in "ac"]
    assert [each["comparisons"][0]["method"] for each in reports] == ["paired bootstrap"] * 2
    assert reports[0]["comparisons"][0]["p"] == pytest.approx(reports[1]["comparisons"][0]["p"], rel=0.3)


@pytest.mark.parametrize(
    ("first", "best", "metrics"),
    [
        (multi_label(), "loss", ["nll", "accuracy"]),
        (regression(), "loss", ["rmse", "mae"]),
        (BASE, "f1", ["f1_weighted", "accuracy"]),
        (BASE, "accuracy", ["accuracy"]),
    ],
)
def test_the_metrics_are_those_of_the_task_and_evaluate_best(tmp_path, capsys, first, best, metrics):
    evaluate = {"best": best, "metrics": [{"f1": {"average": "weighted"}}]}
    for name, rate in (("a", 1), ("b", 2)):
        write_run(tmp_path / name, first, lr=rate)
        tree = json.loads((tmp_path / name / "resolved.yaml").read_text()) | {"evaluate": evaluate}
        (tmp_path / name / "resolved.yaml").write_text(json.dumps(tree))
    report = compared(capsys, tmp_path / "a", tmp_path / "b")
    assert [each["metric"] for each in report["comparisons"]] == metrics
    assert {(each["difference"], each["better"], each["p"]) for each in report["comparisons"]} == {(0.0, None, 1.0)}


def test_an_own_metric_of_evaluate_best_is_said(tmp_path, capsys):
    for name, rate in (("a", 1), ("b", 2)):
        write_run(tmp_path / name, BASE, lr=rate, best="my_metric")
    assert run(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    assert "evaluate.best (my_metric) has no interval; name others by --metric" in capsys.readouterr().err


def test_a_plot_is_drawn_on_request(runs, tmp_path, capsys):
    assert run(["compare", *runs, "--output", str(tmp_path / "d.png")]) == 0
    assert (tmp_path / "d.png").read_bytes().startswith(b"\x89PNG")
    assert run(["compare", *runs, "--output", str(tmp_path / "d.gif")]) == 2


def test_better_can_be_required(runs, capsys):
    assert run(["compare", *runs, "--require-better"]) == 0
    assert run(["compare", *reversed(runs), "--require-better"]) == 5
    shown = capsys.readouterr()
    assert f"required {runs[0]} better than {runs[1]} in accuracy: the difference is -0." in shown.err
    assert "p (Holm)" in shown.out


def test_a_folder_without_records_names_the_command_that_writes_them(runs, tmp_path, capsys):
    write_run(tmp_path / "c", BASE, split="val", lr=3)
    assert run(["compare", *runs, str(tmp_path / "c")]) == 66
    text = f"{tmp_path / 'c'}: has no records of its test samples; write them: ftaug evaluate {tmp_path / 'c'} --split"
    assert text in capsys.readouterr().err
    assert run(["compare", *runs, "--split", "val"]) == 66
    assert capsys.readouterr().err.count("has no records of its val samples") == 2


@pytest.mark.parametrize(
    ("other", "options", "code", "words"),
    [
        (single_label(n=300, classes=2), {}, 65, "predicts other classes than"),
        (regression(n=300), {}, 65, "is of another task than"),
        (BASE, {"start": 1000}, 65, "none of their 300 and 300 is in both; evaluate both on the same data"),
        (Records(BASE.task, BASE.predictions, (BASE.targets + 1) % 3), {}, 65, "different targets for 300 of 300"),
    ],
)
def test_runs_that_cannot_be_compared(tmp_path, capsys, other, options, code, words):
    write_run(tmp_path / "a", BASE, lr=1)
    write_run(tmp_path / "b", other, lr=2, **options)
    assert run(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == code
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1


def test_seeds_with_samples_of_their_own_are_refused(tmp_path, capsys):
    for seed in (1, 2):
        write_run(tmp_path / f"a{seed}", BASE, seed=seed, start=seed, split="val")
    write_run(tmp_path / "b", BASE, lr=2, split="val")
    assert run(["compare", *(str(tmp_path / name) for name in ("a1", "a2", "b"))]) == 65
    assert "which the seed draws too; compare them on a test split: --split test" in capsys.readouterr().err


@pytest.mark.parametrize("cell", ["nan", "inf"])
def test_predictions_that_are_not_finite_name_the_file(runs, tmp_path, capsys, cell):
    path = tmp_path / "b" / "report" / "test.samples.csv"
    header, row, *rows = path.read_text().splitlines()
    cells = row.split(",")
    path.write_text("\n".join([header, ",".join([*cells[:4], cell, *cells[5:]]), *rows]) + "\n")
    assert run(["compare", *runs]) == 65
    assert f"{path}: the predictions of 1 of 300 samples are not finite numbers" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["a"], 2, "two or more different runs"),
        (["a", "a"], 2, "two or more different runs"),
        (["a", "b", "--metric", "acuracy"], 2, "--metric acuracy: has no interval; did you mean 'accuracy'?"),
        (["a", "missing"], 66, "not a run folder"),
    ],
)
def test_wrong_arguments(runs, tmp_path, monkeypatch, capsys, arguments, code, words):
    monkeypatch.chdir(tmp_path)
    assert run(["compare", *arguments]) == code
    assert words in capsys.readouterr().err


def test_runs_are_compared_without_their_model(desk, tmp_path, monkeypatch, capsys):
    other = tmp_path / "other"
    experiment = str(desk / "colors.yaml")
    options = ["train.epochs=1", "lr.peak=1e-5", "--run-dir", str(other), "--device", "cpu"]
    assert run(["train", experiment, *options]) == 0
    for folder in (desk / "run", other):
        assert run(["evaluate", str(folder)]) == 0
    monkeypatch.setattr(TrainedModel, "logits", None)
    for file in (desk / "run", other):
        assert (file / "report" / "test.samples.csv").is_file()
    capsys.readouterr()
    report = compared(capsys, desk / "run", other)
    assert (report["samples"], report["paired"]) == (21, True)
    assert [each["metric"] for each in report["comparisons"]] == ["f1_macro", "accuracy"]
    evaluated = json.loads((other / "report" / "evaluate-test.json").read_text())["metrics"]
    for each in report["comparisons"]:
        assert each["second"]["value"] == pytest.approx(evaluated[each["metric"]])
    changed = report["settings"][str(other)]
    assert changed["lr.peak"] == ["0.005", "1e-05"] and changed["train.epochs"] == ["2", "1"] and len(changed) == 2
