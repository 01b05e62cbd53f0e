import json
from dataclasses import replace

import numpy as np
import pytest
from predictions import regression, single_label
from scipy import stats

from ftaug.interfaces.modality import Corruption
from ftaug.runs.corruption_evaluation import CorruptedErrors
from ftaug.runs.report import console, corruptions
from ftaug.runs.sample_records import sample_errors

N = 300
RECORDS = single_label(n=N, classes=3, lean=4.0)
RATES = {"fog": ("weather", 0.3, False), "snow": ("weather", 0.1, False), "contrast": ("digital", 0.2, False)}
RATES["saturate"] = ("digital", 0.9, True)


def results(n=N, scale=1.0):
    rng = np.random.default_rng(0)
    return [
        CorruptedErrors(Corruption(name, category, (), (), is_extra), scale * (rng.random((5, n)) < rate))
        for name, (category, rate, is_extra) in RATES.items()
    ]


def report(records=RECORDS, **trained_on):
    return corruptions.report(records, sample_errors(records), results(), trained_on)


def test_means_are_over_levels_and_corruptions_without_the_extra_ones():
    errors = {r.corruption.name: r.errors for r in results()}
    shown = report()
    common = np.concatenate([errors[name] for name in ("fog", "snow", "contrast")])
    assert shown["mean"]["value"] == pytest.approx(1 - common.mean())
    assert shown["categories"]["weather"]["value"] == pytest.approx(
        1 - (errors["fog"].mean() + errors["snow"].mean()) / 2
    )
    assert shown["categories"]["digital"]["value"] == pytest.approx(1 - errors["contrast"].mean())
    assert shown["categories"]["extra"]["value"] == pytest.approx(1 - errors["saturate"].mean())
    assert shown["clean"]["value"] == pytest.approx(RECORDS.correct.mean())
    fog = shown["corruptions"][0]
    assert fog["value"] == pytest.approx(1 - errors["fog"].mean())
    assert [level["value"] for level in fog["levels"]] == pytest.approx(1 - errors["fog"].mean(axis=1))
    json.loads(console.to_json(shown))


def test_a_level_has_wilsons_interval_and_a_mean_that_of_a_bootstrap_of_samples():
    level = report()["corruptions"][0]["levels"][0]
    expected = stats.binomtest(round(level["value"] * N), N).proportion_ci(0.95, "wilson")
    assert (level["low"], level["high"]) == pytest.approx(tuple(expected))
    mean = report()["mean"]
    per_sample = np.concatenate([r.errors for r in results()[:3]]).mean(axis=0)
    half = 1.96 * per_sample.std(ddof=1) / np.sqrt(N)
    assert mean["method"] == "stratified bootstrap"
    assert mean["high"] - mean["low"] == pytest.approx(2 * half, rel=0.1)


def test_groups_are_drawn_as_groups():
    shown = report(replace(RECORDS, groups=np.arange(N) // 10))
    assert shown["mean"]["method"] == shown["corruptions"][0]["levels"][0]["method"] == "cluster bootstrap"


def test_extra_corruptions_alone_have_their_mean():
    chosen = [r for r in results() if r.corruption.is_extra]
    shown = corruptions.report(RECORDS, sample_errors(RECORDS), chosen, {})
    assert shown["mean"]["value"] == pytest.approx(1 - chosen[0].errors.mean())
    assert list(shown["categories"]) == ["digital"]


def test_the_tables_fit_and_warn_of_training(capsys):
    console.show(*corruptions.tables(report(fog=["fog"]) | {"notes": ["constants of CIFAR-10-C"]}))
    shown = capsys.readouterr().out
    assert "fog *" in shown and "caution: * augment trained on what is similar" in shown and "fog: fog" in shown
    assert "note: constants of CIFAR-10-C" in shown
    assert max(len(line.rstrip()) for line in shown.splitlines() if "caution" not in line) <= 80


def test_regression_has_the_mean_absolute_error():
    records = regression(n=N)
    shown = corruptions.report(records, sample_errors(records), results(scale=2.5), {})
    assert shown["metric"] == "mae"
    assert shown["clean"]["value"] == pytest.approx(np.abs(records.predictions - records.targets).mean())
    assert shown["corruptions"][0]["value"] == pytest.approx(results(scale=2.5)[0].errors.mean())
    assert shown["mean"]["low"] < shown["mean"]["value"] < shown["mean"]["high"]


def test_one_sample_has_a_report():
    few = [r._replace(errors=r.errors[:, :1]) for r in results()]
    records = RECORDS.select(np.arange(1))
    shown = corruptions.report(records, sample_errors(records), few, {})
    assert shown["mean"]["value"] in np.linspace(0, 1, 16)
    corruptions.tables(shown)


def test_requirements_name_the_mean_categories_and_corruptions():
    shown = report()
    values = corruptions.required_values(shown)
    assert values["corruptions.accuracy"] == shown["mean"]["value"]
    assert values["corruptions.weather.accuracy.low"] == shown["categories"]["weather"]["low"]
    assert values["corruptions.saturate.accuracy"] == shown["corruptions"][3]["value"]
    assert set(values) == set(corruptions.requirement_names([r.corruption for r in results()], RECORDS.task))
