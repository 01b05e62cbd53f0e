"""Abstentions and prediction sets beside predictions, from a calibration."""

from dataclasses import replace

import numpy as np
import pytest
from calibrations import labeled, opened_run, overconfident, softmax

from ftaug.errors import ExperimentError, MissingInput
from ftaug.interfaces.data import Task
from ftaug.runs.calibrate import calibrate
from ftaug.runs.prediction import Prediction
from ftaug.runs.report.predictions import form
from ftaug.runs.report.uncertainty import add_uncertainty

LOGITS = overconfident(300)


@pytest.fixture(scope="module")
def opened():
    """A calibrated run of four classes."""
    run = opened_run(*LOGITS)
    run.calibration = calibrate(run).calibration
    return run


def predictions(opened, logits):
    outputs = opened.calibration.probabilities(logits, opened.activation)
    return [Prediction(f"{i}.png", *each) for i, each in enumerate(zip(outputs, logits, strict=True))]


def test_the_least_confident_are_left_out(opened, capsys):
    layout = add_uncertainty(form(opened.task, 1), opened, 0.7, None)
    assert layout.headings == ("class", "probability", "abstained")
    rows = [layout.cells(each) for each in predictions(opened, LOGITS[0])]
    answered = [row for row in rows if row[2] == ""]
    assert len(answered) / len(rows) == pytest.approx(0.7, abs=0.1)
    assert all(row == ["", "", "yes"] for row in rows if row[2])
    assert max(len(row) for row in rows) == 3
    threshold = min(row[1] for row in answered)
    assert f"abstains below a confidence of {layout.threshold:.4f}, which 0.7 of" in capsys.readouterr().err
    assert threshold >= layout.threshold
    plain = [layout.plain(each) for each in predictions(opened, LOGITS[0])]
    assert {tuple(each) for each in plain} == {("abstained",), ("abstained", "predictions")}


def test_the_confidence_of_labels_is_that_of_all_decisions(capsys):
    run = opened_run(*labeled(), task=Task(("a", "b", "c"), multi_label=True), activation="sigmoid")
    run.calibration = calibrate(run).calibration
    layout = add_uncertainty(form(run.task, None), run, 0.5, None)
    assert layout.headings == ("labels", "a", "b", "c", "abstained")
    rows = [layout.cells(each)[4] for each in predictions(run, labeled(seed=1)[0])]
    assert rows.count("yes") / len(rows) == pytest.approx(0.5, abs=0.1)
    with pytest.raises(ExperimentError, match="--sets: is for tasks with one class a sample"):
        add_uncertainty(form(run.task, None), run, None, 0.9)


def test_sets_hold_the_true_class_as_often_as_asked_for(opened, capsys):
    layout = add_uncertainty(form(opened.task, 1), opened, None, 0.8)
    logits, targets = overconfident(3000, seed=5)
    sets = [layout.plain(each)["set"] for each in predictions(opened, logits)]
    share = np.mean([opened.task.classes[target] in each for each, target in zip(sets, targets, strict=True)])
    band = capsys.readouterr().err
    low, high = (float(band.split(" of new samples")[0].split()[i]) for i in (-3, -1))
    assert low - 0.01 < share < high + 0.01 and high - low < 0.2
    probabilities = softmax(logits[:1].astype(float))[0]
    order = [opened.task.classes[i] for i in np.argsort(-probabilities)]
    assert sets[0] == order[: len(sets[0])]
    assert layout.headings[-1] == "set" and layout.cells(predictions(opened, logits[:1])[0])[-1] == "|".join(sets[0])


def test_both_are_beside_each_other(opened):
    layout = add_uncertainty(form(opened.task, 2), opened, 0.9, 0.9)
    assert layout.headings[-2:] == ("abstained", "set") and layout.digits == 6
    assert set(layout.plain(predictions(opened, LOGITS[0][:1])[0])) >= {"abstained", "set"}


def test_too_few_samples_for_a_coverage_are_said(opened, capsys):
    layout = add_uncertainty(form(opened.task, 1), opened, None, 0.9999)
    assert "too few for sets of 0.9999: they hold all classes" in capsys.readouterr().err
    assert len(layout.plain(predictions(opened, LOGITS[0][:1])[0])["set"]) == 4


@pytest.mark.parametrize(
    ("coverage", "sets", "words"),
    [
        (1.5, None, "coverage: 1.5 is not a share of samples; expected a number above 0 and up to 1"),
        (None, 1.5, r"prediction sets: a coverage of 1\.5 cannot be guaranteed; expected one such as 0\.9"),
        (None, 0, "cannot be guaranteed"),
        (float("nan"), None, "is not a share"),
    ],
)
def test_values_out_of_range(opened, coverage, sets, words):
    with pytest.raises(ExperimentError, match=words):
        add_uncertainty(form(opened.task, 1), opened, coverage, sets)


def test_a_run_without_calibration_says_what_to_run(opened):
    opened = opened_run(*LOGITS)
    for options in ((0.9, None), (None, 0.9)):
        with pytest.raises(MissingInput, match="needs a calibration on validation samples; write it first: ftaug cal"):
            add_uncertainty(form(opened.task, 1), opened, *options)
    numbers = replace(opened.task, regression=True)
    opened.task = numbers
    with pytest.raises(ExperimentError, match="--coverage: the run predicts numbers, not classes; leave it out"):
        add_uncertainty(form(numbers, None), opened, 0.9, None)
