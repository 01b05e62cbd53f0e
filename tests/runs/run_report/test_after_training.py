import json
import re
from types import SimpleNamespace

import numpy as np
from predictions import regression, single_label
from reported_runs import reported
from scipy.stats import binomtest

from ftaug.cli import run
from ftaug.runs import training
from ftaug.runs.run_report import after_training


def verdict_of(folder):
    html = (folder / "report" / "report.html").read_text()
    return re.search(r'class="verdict">(.*?)</p>', html)[1]


def test_training_ends_with_a_report_on_validation(trained):
    metrics = json.loads((trained / "complete.json").read_text())["metrics"]
    low, high = binomtest(round(9 * metrics["accuracy"]), 9).proportion_ci(0.95, "wilson")
    expected = f"accuracy {metrics['accuracy']:.3f} [{low:.3f}–{high:.3f}] on 9 validation samples, which chose"
    assert verdict_of(trained).startswith(expected)
    assert not list((trained / "report").glob("*.samples.csv"))  # `compare` would take them for those of an evaluation


def test_a_run_that_resumed_predicts_again_with_the_same_result(copied, trained, monkeypatch):
    logits_of, write = [], after_training.write_report

    def watch(state, folder, logits):
        logits_of.append(logits)
        return write(state, folder, logits)

    before = (copied / "report" / "report.html").read_text()
    for name in ("complete.json", "report/report.html"):
        (copied / name).unlink()
    monkeypatch.setattr(training.after_training, "write_report", watch)
    train(copied)
    assert logits_of == [None]
    now = (copied / "report" / "report.html").read_text().replace(str(copied), str(trained))
    command = re.compile(r"<pre.*?</pre>", re.DOTALL)
    assert command.sub("", now, count=1) == command.sub("", before, count=1)


def train(folder):
    assert run(["train", str(folder), "--device", "cpu"]) == 0


def test_a_failure_is_one_line_and_the_training_has_succeeded(copied, monkeypatch, capsys):
    (copied / "complete.json").unlink()
    (copied / "report" / "report.html").unlink()

    def fail(*arguments):
        raise ZeroDivisionError("of course")

    monkeypatch.setattr(training.after_training, "write_report", fail)
    train(copied)
    lines = [line for line in capsys.readouterr().err.splitlines() if "report" in line]
    assert f"no report (ZeroDivisionError: of course); try again: ftaug report {copied}" in lines
    assert "Traceback" in (copied / "train.log").read_text()
    assert (copied / "complete.json").is_file()


def test_metrics_have_intervals_only_where_they_are_quick():
    many = single_label(n=900, classes=30)  # 27,000 probabilities
    results = reported(many, best="f1_macro").results
    assert results["intervals"]["f1_macro"]["method"] == "none"
    assert results["intervals"]["accuracy"]["method"] == "wilson"
    assert set(results["classes"][0]["intervals"]) == {"precision", "recall"}
    grouped = single_label(n=900, classes=30, groups=np.arange(900) // 3)
    assert reported(grouped).results["intervals"]["accuracy"]["method"] == "none"
    small = reported(regression(n=100), best="loss").results
    assert small["intervals"]["rmse"]["low"] < small["intervals"]["rmse"]["value"]


def test_without_validation_samples_there_is_none():
    state = SimpleNamespace(splits={}, experiment=SimpleNamespace(objective=None))
    assert after_training.write_report(state, None, None) is None
