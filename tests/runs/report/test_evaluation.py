"""The report of an evaluation: its figures by scikit-learn, its files and what is printed."""

import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from sklearn import metrics as sk

from ftaug.engine.loading.split import DataSplit
from ftaug.engine.training.evaluate import Measurement
from ftaug.interfaces.data import Task
from ftaug.interfaces.modality import Corruption, Corruptions
from ftaug.runs.report import evaluation


class Named:
    groups = None

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def name(self, index):
        return f"sample {index}"


def opened(folder, task):
    return SimpleNamespace(
        folder=folder,
        task=task,
        checkpoint=folder / "step-0000003",
        device=SimpleNamespace(precision="fp32"),
        calibration=None,
        splits={},
        experiment=SimpleNamespace(evaluate=SimpleNamespace(metrics=(SimpleNamespace(name="auroc"),))),
    )


def evaluated(task, logits, probabilities, targets, left_out=()):
    split = DataSplit("test", Named(len(targets)), np.arange(len(targets)), targets, task, left_out)
    return split, Measurement(logits, probabilities, targets, {"loss": 0.25})


@pytest.fixture
def single_label():
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 3, 40)
    logits = (rng.normal(size=(40, 3)) + np.eye(3)[targets]).astype(np.float32)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return evaluated(Task(("a", "b, c", "d")), logits, probabilities, targets)


def test_figures_are_those_of_scikit_learn(tmp_path, single_label):
    split, measured = single_label
    report = evaluation.report(opened(tmp_path, split.task), split, measured)
    predictions = measured.probabilities.argmax(axis=1)
    macro = sk.precision_recall_fscore_support(split.targets, predictions, average="macro", zero_division=0)[:3]
    expected = dict(zip(("precision_macro", "recall_macro", "f1_macro"), macro, strict=True))
    expected |= {"accuracy": sk.accuracy_score(split.targets, predictions), "top_3": 1.0, "loss": 0.25}
    assert {name: report["metrics"][name] for name in expected} == pytest.approx(expected)
    assert report["confusion"].tolist() == sk.confusion_matrix(split.targets, predictions).tolist()
    assert (report["split"], report["samples"], report["checkpoint"]) == ("test", 40, "step-0000003")
    assert "left_out" not in report and "cautions" not in report


def test_the_files_of_a_classification(tmp_path, single_label, capsys):
    split, measured = single_label
    run = opened(tmp_path, split.task)
    report = evaluation.report(run, split, measured)
    names = ["evaluate-test.json", "test.samples.csv", "confusion-test.png"]
    report["files"] = list(evaluation.write(report, run, split, measured, {}))
    assert report["files"] == [tmp_path / "report" / name for name in names]
    assert json.loads((tmp_path / "report" / names[0]).read_text())["metrics"] == pytest.approx(report["metrics"])
    with (tmp_path / "report" / names[1]).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == [f"sample {i}" for i in range(40)]
    assert [row["target"] for row in rows] == [split.task.classes[code] for code in split.targets]
    with Image.open(tmp_path / "report" / names[2]) as plot:
        assert plot.format == "PNG"
    evaluation.show(report, split.task)
    shown = capsys.readouterr().out
    assert shown.startswith(f"40 test samples, step-0000003 of {tmp_path}\n")
    assert f"wrote {tmp_path / 'report' / names[2]}" in shown and "b, c" in shown


def test_a_regression_has_a_scatter_plot_and_no_confusion(tmp_path):
    targets = np.linspace(0, 1, 20)[:, None]
    predictions = targets + 0.1 * (-1) ** np.arange(20)[:, None]
    task = Task(("height",), regression=True)
    split, measured = evaluated(task, predictions, predictions, targets, left_out=(20,))
    run = opened(tmp_path, task)
    report = evaluation.report(run, split, measured)
    assert report["metrics"]["mae"] == pytest.approx(0.1)
    assert report["left_out"] == 1
    assert [path.name for path in evaluation.write(report, run, split, measured, {})] == [
        "evaluate-test.json",
        "test.samples.csv",
        "scatter-test.png",
    ]


def test_top_k_is_reported_where_ranks_mean_something():
    def ranks(task):
        return [name for name in evaluation.standard_metrics(task) if name.startswith("top_")]

    assert ranks(Task(tuple("abcdefgh"))) == ["top_5"]
    assert ranks(Task(("a", "b", "c"))) == ["top_3"]
    assert ranks(Task(("a", "b", "c"), multi_label=True)) == []
    assert ranks(Task(("a",), regression=True)) == []


def test_the_names_that_a_requirement_may_use(tmp_path):
    run = opened(tmp_path, Task(("a", "b")))
    names = evaluation.requirement_names(run, [], Corruptions([]))
    assert {"loss", "auroc", "accuracy", "top_2", "f1_macro", "f1_weighted", "accuracy.low"} <= set(names)
    assert not [name for name in names if name.startswith(("slices", "corruptions"))]
    more = evaluation.requirement_names(run, ["camera"], Corruptions([Corruption("fog", "weather", ())]))
    columns, kinds = ("worst", "camera"), ("", "weather.", "fog.")
    expected = [f"slices.{name}.accuracy" for name in columns] + [f"corruptions.{name}accuracy" for name in kinds]
    assert set(more) - set(names) == {f"{name}{end}" for name in expected for end in ("", ".low", ".high")}


def test_a_calibration_is_reported(tmp_path, single_label, capsys):
    split, measured = single_label
    run = opened(tmp_path, split.task)
    run.calibration = SimpleNamespace(facts={"method": "temperature", "temperature": 1.75, "samples": 20})
    report = evaluation.report(run, split, measured) | {"files": []}
    assert report["calibration"]["temperature"] == 1.75
    evaluation.show(report, split.task)
    assert "calibrated by `ftaug calibrate`: temperature 1.75; the loss" in (shown := capsys.readouterr().out)
    assert "caution" not in shown
    evaluation.show(report | {"split": "val"}, split.task)
    assert "caution: 20 of these samples were used to calibrate" in capsys.readouterr().out
