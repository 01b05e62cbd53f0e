import json
from dataclasses import replace

import numpy as np
import pytest
from predictions import regression, single_label
from scipy import stats

from ftaug.errors import BadData
from ftaug.runs.report import console, slices


def planted(n=600, seed=0):
    """Records that are wrong more often where the camera is b."""
    records = single_label(seed, n=n, classes=3, lean=3.0)
    camera = np.random.default_rng(seed).choice(list("abc"), n)
    worse = camera == "b"
    targets = records.targets.copy()
    targets[worse] = np.random.default_rng(1).integers(0, 3, worse.sum())
    return replace(records, targets=targets), {
        "camera": camera.tolist(),
        "patient": [f"p{i}" for i in range(n)],
        "age": [str(i % 300) for i in range(n)],
    }


def test_the_worst_slice_has_its_accuracy_with_interval():
    records, columns = planted()
    report = slices.report(records, columns)
    worst = report["worst"][0]
    rows = np.array(columns["camera"]) == "b"
    right = records.correct[rows]
    assert (report["metric"], worst["column"], worst["slice"], worst["samples"]) == (
        "accuracy",
        "camera",
        "b",
        rows.sum(),
    )
    assert worst["value"] == pytest.approx(right.mean())
    expected = stats.binomtest(int(right.sum()), int(rows.sum())).proportion_ci(0.95, "wilson")
    assert (worst["low"], worst["high"]) == pytest.approx(tuple(expected))
    assert worst["difference"] == pytest.approx(right.mean() - records.correct[~rows].mean())
    assert worst["difference"] < worst["shrunken"] < 0 and worst["adjusted_p"] < 0.001
    assert report["notes"] == [
        "patient: left out, since none of its 600 values has 30 samples",
        "age: 300 different numbers, in 5 ranges of equally many samples",
    ]
    assert {row["column"] for row in report["worst"]} == {"camera", "age"}
    json.loads(console.to_json(report))


def test_the_table_fits_and_names_what_is_worse(capsys):
    records, columns = planted()
    console.show(*slices.tables(slices.report(records, columns)))
    shown = capsys.readouterr().out
    assert "worse than the other samples: camera: b" in shown
    assert "note: patient: left out, since none of its 600 values has 30 samples" in shown
    assert max(len(line.rstrip()) for line in shown.splitlines()[:8]) <= 80


def test_groups_are_drawn_as_groups():
    records, columns = planted()
    report = slices.report(replace(records, groups=np.arange(600) // 10), columns)
    assert report["worst"][0]["method"] == "cluster bootstrap"
    assert report["notes"][-1] == "tests and intervals are those of groups; a slice has 10 groups or more"


def test_regression_has_the_mean_absolute_error():
    records = regression(n=300, numbers=2)
    side = np.random.default_rng(0).choice(["left", "right"], 300)
    predictions = records.predictions + np.where(side == "left", 1.0, 0.0)[:, None]
    report = slices.report(replace(records, predictions=predictions), {"side": side.tolist()})
    worst = report["worst"][0]
    errors = np.abs(predictions - records.targets).mean(axis=1)
    assert (report["metric"], worst["slice"]) == ("mae", "left")
    assert worst["value"] == pytest.approx(errors[side == "left"].mean())
    assert worst["low"] < worst["value"] < worst["high"]
    assert worst["difference"] > worst["shrunken"] > 0
    assert "worse than the other samples: side: left" in slices.tables(report)


def test_one_sample_has_no_slices():
    records, columns = planted()
    report = slices.report(records.select(np.arange(1)), {name: values[:1] for name, values in columns.items()})
    assert report["worst"] == []
    assert slices.tables(report)[0] == "no slice has 30 samples within and 30 outside"


def test_predictions_that_are_not_finite_are_refused():
    records, columns = planted()
    records.predictions[0] = np.nan
    with pytest.raises(BadData, match="not finite"):
        slices.report(records, columns)


def test_a_requirement_is_on_the_slice_with_the_lowest_accuracy():
    report = slices.report(*planted())
    values = slices.required_values(report)
    for name, rows in (("worst", report["worst"]), ("age", [r for r in report["worst"] if r["column"] == "age"])):
        assert values[f"slices.{name}.accuracy"] == min(row["value"] for row in rows)
        assert values[f"slices.{name}.accuracy.low"] == min(row["low"] for row in rows)
    assert set(values) == set(slices.requirement_names(["camera", "age"], planted()[0].task))
    numbers = regression(n=300, numbers=1)
    values = slices.required_values(report := slices.report(numbers, {"camera": ["a", "b", "c"] * 100}))
    assert values["slices.worst.mae"] == max(row["value"] for row in report["worst"])
