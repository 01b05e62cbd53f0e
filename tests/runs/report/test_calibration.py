"""The report of a calibration: tables of 80 columns, strict JSON, and files in the run folder."""

import json
from pathlib import Path

import pytest
from calibrations import labeled, opened_run, overconfident

from ftaug.interfaces.data import Task
from ftaug.runs.calibrate import calibrate
from ftaug.runs.report import calibration, console


@pytest.fixture(scope="module")
def report():
    return calibrate(opened_run(*overconfident(300)))


@pytest.fixture(scope="module")
def labels():
    task = Task(("a", "b", "c"), multi_label=True)
    return calibrate(opened_run(*labeled(200), task=task, activation="sigmoid"))


def test_the_tables_fit_80_columns(report, labels, monkeypatch, capsys):
    monkeypatch.setattr(console, "WIDE", 80)
    for each in (report, labels):
        calibration.show(each, Path("runs/a"), [Path("runs/a/calibration.json")])
    text = capsys.readouterr().out
    assert "temperature 3" in text and "nll changes by -" in text and "wrote runs/a/calibration.json" in text
    assert text.count("prediction sets (LAC") == 1 and text.count("least confidence") == 2
    assert "…" not in text
    assert max(map(len, text.splitlines()[1:])) <= 100


def test_the_json_holds_what_the_tables_show(report, labels):
    content = json.loads(console.to_json(calibration.as_json(report, Path("runs/a"))))
    nll = content["metrics"]["nll"]
    assert nll["difference"]["value"] == pytest.approx(nll["after"]["value"] - nll["before"]["value"])
    assert nll["difference"]["low"] < nll["difference"]["high"] < 0
    assert content["calibration"]["temperature"] == report.calibration.scaling.temperature
    assert content["calibration"]["samples"] + content["held_out"] == 300
    for diagram in content["reliability"].values():
        assert sum(each["samples"] for each in diagram) == content["held_out"]
    assert [row["coverage"] for row in content["sets"]["coverages"]] == [0.8, 0.9, 0.95]
    assert content["aurc"]["after"] > 0 and content["selective"][0]["answered"] == content["held_out"]
    assert "sets" not in calibration.as_json(labels, Path("runs/a"))


def test_the_files_are_in_the_report_folder(report, tmp_path):
    summary, picture = calibration.write(report, tmp_path)
    assert summary == tmp_path / "report" / "calibration.json" and json.loads(summary.read_text())["held_out"]
    assert picture.read_bytes().startswith(b"\x89PNG")
