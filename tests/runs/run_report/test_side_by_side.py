from dataclasses import replace

import numpy as np
import pytest
from evaluated_runs import write_run
from predictions import regression, single_label
from reported_runs import evaluations, reported

from ftaug.errors import BadData, ExperimentError
from ftaug.runs import compared_runs
from ftaug.runs.run_report.side_by_side import compare_reported

BASE = single_label(n=300, classes=3, lean=1.0)


def run_of(folder, records, rows=(), **settings):
    """A run with records in a folder."""
    (folder / "resolved.yaml").exists() or write_run(folder, records, **settings)
    (folder / "environment.json").write_text('{"command": ["ftaug", "train", "a.yaml"]}')
    return replace(reported(records, folder, rows=rows), settings=compared_runs.read_settings(folder))


def improved():
    predictions = BASE.predictions.copy()
    rows = np.random.default_rng(0).random(len(BASE)) < 0.4
    predictions[rows] = 0.05
    predictions[rows, BASE.targets[rows]] = 0.9
    return replace(BASE, predictions=predictions)


def test_runs_have_the_verdict_of_compare(tmp_path):
    runs = [
        run_of(tmp_path / "old", BASE, evaluations([0.5, 0.6, 0.61]), lr={"peak": 0.1}),
        run_of(tmp_path / "new", improved(), evaluations([0.7, 0.8, 0.81]), lr={"peak": 0.2}),
    ]
    report = compare_reported(runs)
    assert report.verdict == f"{tmp_path / 'new'} is better in accuracy"
    assert [section.key for section in report.sections] == [
        "results",
        "differences",
        "training",
        "classes",
        "reproduce",
    ]
    results, differences, training, classes, commands = report.sections
    table = results.blocks[0]
    assert table.headings[:3] == ("run", "samples", "accuracy")
    accuracy = [(r.records.predictions.argmax(axis=1) == r.records.targets).mean() for r in runs]
    assert [float(row[2].split()[0]) for row in table.rows] == pytest.approx(accuracy, abs=6e-4)
    assert float(differences.blocks[0].rows[0][3]) == pytest.approx(accuracy[1] - accuracy[0], abs=6e-5)
    assert differences.blocks[1].rows == [("lr.peak", "0.1", "0.2")]
    assert [series.name for series in training.blocks[0].items[0].series] == ["old", "new"]
    spreads = [abs(float(row[2]) - float(row[1])) for row in classes.blocks[0].rows]
    assert spreads == sorted(spreads, reverse=True)
    assert commands.blocks[0].text.splitlines()[0] == "ftaug train a.yaml"


def test_no_difference_is_said_with_its_metrics(tmp_path):
    runs = [run_of(tmp_path / name, BASE, lr={"peak": name}) for name in "ab"]
    assert compare_reported(runs).verdict == (
        f"No difference between {tmp_path / 'a'} and {tmp_path / 'b'} in accuracy is shown"
    )


def test_other_seeds_alone_have_no_verdict(tmp_path):
    runs = [run_of(tmp_path / str(seed), BASE, seed=seed) for seed in (1, 2)]
    report = compare_reported(runs)
    assert report.verdict == "The 2 runs differ by their seed alone, so there is nothing to compare"
    assert "differences" not in [section.key for section in report.sections]


def test_runs_that_cannot_be_compared_are_refused(tmp_path):
    first, second = run_of(tmp_path / "a", BASE), run_of(tmp_path / "b", regression(), best="mae")
    with pytest.raises(BadData, match="is of another task"):
        compare_reported([first, second])
    with pytest.raises(ExperimentError, match="different splits"):
        compare_reported([first, replace(run_of(tmp_path / "c", BASE), split="val")])


def test_folders_of_the_same_name_are_told_by_their_path(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "y").mkdir()
    runs = [run_of(tmp_path / side / "run", BASE, lr={"peak": side}) for side in "xy"]
    names = [row[0] for row in compare_reported(runs).sections[0].blocks[0].rows]
    assert names == [str(tmp_path / "x" / "run"), str(tmp_path / "y" / "run")]
