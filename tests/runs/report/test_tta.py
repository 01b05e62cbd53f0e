from dataclasses import replace

import numpy as np
import pytest
from predictions import regression, single_label
from scipy import stats

from ftaug.runs.report import console, tta

RECORDS = single_label(n=400, classes=3)


def noisy(records, seed):
    logits = np.log(records.predictions) + np.random.default_rng(seed).normal(0, 0.5, records.predictions.shape)
    return replace(records, predictions=np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))


def test_the_effect_is_paired(capsys):
    single, averaged = noisy(RECORDS, 1), RECORDS
    report = tta.report(single, averaged, "flip")
    accuracy = report["metrics"]["accuracy"]
    assert (accuracy["without"], accuracy["with"]) == (single.correct.mean(), averaged.correct.mean())
    assert report["corrected"] - report["broken"] == averaged.correct.sum() - single.correct.sum()
    exact = stats.binomtest(report["broken"], report["corrected"] + report["broken"]).pvalue
    assert accuracy["p"] == pytest.approx(exact) and accuracy["method"] == "mcnemar"
    gains = averaged.correct.astype(float) - single.correct
    half = 1.96 * gains.std() / np.sqrt(400)
    assert accuracy["high"] - accuracy["low"] == pytest.approx(2 * half, rel=0.1)
    assert set(report["metrics"]) == {"accuracy", "nll"}
    console.show(*tta.tables(report))
    shown = capsys.readouterr().out
    assert f"predictions that it corrected: {report['corrected']}; made wrong: {report['broken']}" in shown
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= 80


def test_no_effect_has_no_interval():
    report = tta.report(RECORDS, RECORDS, "flip")
    assert report["metrics"]["accuracy"]["difference"] == 0 and "low" not in report["metrics"]["accuracy"]
    assert report["corrected"] == report["broken"] == 0
    tta.tables(report)


def test_regression_has_the_mean_absolute_error():
    records = regression(n=200)
    worse = replace(records, predictions=records.predictions + 1)
    report = tta.report(worse, records, "five_crop")
    assert set(report["metrics"]) == {"mae"} and report["metrics"]["mae"]["high"] < 0
    assert "corrected" not in report and len(tta.tables(report)) == 1
