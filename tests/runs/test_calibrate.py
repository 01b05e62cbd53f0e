"""Calibrations fitted on one half of validation: their effect on the other half, and what cannot be calibrated."""

import numpy as np
import pytest
from calibrations import labeled, opened_run, overconfident, softmax
from scipy import optimize
from sklearn import metrics as sk

from ftaug.errors import BadData, ExperimentError
from ftaug.interfaces.data import Task
from ftaug.runs.calibrate import calibrate, split_halves
from ftaug.runs.cross_validation import Ensemble
from ftaug.statistics.conformal import coverage_band

LABELS = Task(("a", "b", "c"), multi_label=True)


@pytest.fixture(scope="module")
def report():
    """The report of the logits of `overconfident`."""
    return calibrate(opened_run(*overconfident()), method="temperature")


def test_a_temperature_is_fitted_on_one_half_and_measured_on_the_other(report):
    logits, targets = overconfident()
    opened = opened_run(logits, targets)
    fitted = split_halves(opened, opened.splits["val"]).fitted
    x, y = logits[fitted].astype(float), targets[fitted]
    best = optimize.minimize_scalar(lambda s: sk.log_loss(y, softmax(s * x)), bounds=(0.01, 3), method="bounded").x
    assert report.calibration.scaling.scale[0] == pytest.approx(best, rel=1e-3)
    assert (report.calibration.samples, report.held_out) == (fitted.sum(), (~fitted).sum())
    for estimates, scale in ((report.before, 1), (report.after, best)):
        probabilities = softmax(scale * logits[~fitted].astype(float))
        assert estimates["nll"].value == pytest.approx(sk.log_loss(targets[~fitted], probabilities), rel=1e-3)
    assert report.after["nll"].high < report.before["nll"].low
    assert report.after["ece_debiased"].high < report.before["ece_debiased"].low
    assert report.after["accuracy"] == report.before["accuracy"]
    assert report.differences["nll"].high < 0 and report.notes == []


def test_confidences_and_curves_are_those_of_the_calibrated_held_out_half(report):
    logits, targets = overconfident()
    opened = opened_run(logits, targets)
    rest = ~split_halves(opened, opened.splits["val"]).fitted
    probabilities = report.calibration.probabilities(logits[rest], "softmax")
    assert report.calibration.confidences == pytest.approx(np.sort(probabilities.max(axis=1)))
    row = next(row for row in report.selective if row.coverage == 0.8)
    answered = probabilities.max(axis=1) >= row.threshold
    wrong = probabilities.argmax(axis=1) != targets[rest]
    assert (row.answered, row.errors) == (answered.sum(), (answered & wrong).sum())
    assert row.answered == np.ceil(0.8 * rest.sum()) and row.low < row.errors / row.answered < row.high


@pytest.mark.parametrize("score", ["lac", "aps"])
def test_sets_are_fitted_on_uncalibrated_scores_of_the_other_half(score):
    logits, targets = overconfident(800)
    opened = opened_run(logits, targets)
    report = calibrate(opened, method="temperature", score=score)
    fitted = split_halves(opened, opened.splits["val"]).fitted
    row = next(row for row in report.sets if row.coverage == 0.9)
    assert row.band == coverage_band(int(fitted.sum()), 0.9)
    assert row.low < 0.95 and row.high > 0.9 and 1 < row.mean_size < 4
    if score == "lac":
        scores = np.sort(1 - softmax(logits[fitted].astype(float))[np.arange(fitted.sum()), targets[fitted]])
        threshold = scores[int(np.ceil((fitted.sum() + 1) * 0.9)) - 1]
        members = 1 - softmax(logits[~fitted].astype(float)) <= threshold
        assert row.measured == pytest.approx(members[np.arange(len(members)), targets[~fitted]].mean(), abs=2e-3)
        assert row.mean_size == pytest.approx(members.sum(axis=1).mean(), abs=0.01)


def test_vector_scaling_is_chosen_with_100_samples_of_every_class():
    logits, targets = overconfident(500, classes=2)
    logits[:, 1] += 5  # a bias that no temperature undoes
    with_vector, with_temperature = (calibrate(opened_run(logits, targets), method=m) for m in ("auto", "temperature"))
    assert len(with_vector.calibration.scaling.scale) == 2
    assert with_vector.after["nll"].value < with_temperature.after["nll"].value - 0.05
    assert len(calibrate(opened_run(logits[:200], targets[:200])).calibration.scaling.scale) == 1
    with pytest.raises(BadData, match="vector scaling needs 100 calibration samples of every class"):
        calibrate(opened_run(logits[:200], targets[:200]), method="vector")


def test_labels_share_a_temperature_and_decide_as_before():
    logits, targets = labeled(300)
    task = Task(LABELS.classes, multi_label=True, thresholds=(0.5, 0.9, 0.2))
    report = calibrate(opened_run(logits, targets, task=task, activation="sigmoid"), method="temperature")
    assert report.calibration.scaling.temperature == pytest.approx(3, rel=0.2)
    assert report.after["nll"].high < report.before["nll"].low
    assert report.after["accuracy"].value == report.before["accuracy"].value
    assert report.sets == [] and report.calibration.set_scores is None


def test_one_class_a_sample_by_sigmoid_is_calibrated_as_binary_decisions():
    logits, targets = overconfident(300)
    report = calibrate(opened_run(logits, targets, activation="sigmoid"))
    opened = opened_run(logits, targets)
    fitted = split_halves(opened, opened.splits["val"]).fitted
    truth = np.eye(4)[targets[fitted]]

    def loss(scale):
        z = scale * logits[fitted].astype(float)
        return (np.logaddexp(0, z) - truth * z).sum()

    best = optimize.minimize_scalar(loss, bounds=(0.01, 3), method="bounded").x
    assert report.calibration.scaling.scale[0] == pytest.approx(best, rel=1e-3)


def test_a_group_is_in_one_half():
    logits, targets = overconfident(400)
    groups = np.arange(400) // 5
    opened = opened_run(logits, targets, groups=groups)
    fitted = split_halves(opened, opened.splits["val"]).fitted
    assert 0.3 < fitted.mean() < 0.7
    assert all(len(set(fitted[groups == group])) == 1 for group in range(80))
    report = calibrate(opened)
    assert report.before["nll"].method == "cluster bootstrap"
    assert "samples of a group depend on each other" in report.notes[-1]


def test_predictions_that_are_all_right_stay_as_they_are():
    targets = np.arange(100) % 4
    report = calibrate(opened_run((4 * np.eye(4)[targets]).astype(np.float32), targets))
    assert report.calibration.scaling.temperature == 1
    assert "are predicted right, which determines none" in report.notes[0]
    assert report.after["nll"].value == report.before["nll"].value


def test_what_does_not_help_is_said():
    logits, targets = overconfident(200, factor=1.0)
    report = calibrate(opened_run(logits, targets))
    assert "no lower NLL is shown on the held-out samples; delete calibration.json" in report.notes[0]


def nan_logits():
    logits, targets = overconfident(100)
    logits[7, 1] = np.nan
    return opened_run(logits, targets)


@pytest.mark.parametrize(
    ("opened", "error", "words"),
    [
        (
            lambda: opened_run(*overconfident(100), splits=("test",)),
            ExperimentError,
            r"runs/a: has no validation samples to calibrate on; train it again with data\.val, such as",
        ),
        (
            lambda: opened_run(*overconfident(1)),
            BadData,
            r"20 validation samples to fit .* smaller half has 0; enlarge",
        ),
        (
            lambda: opened_run(*overconfident(200), groups=np.arange(200) // 190),
            BadData,
            "200 in groups, and the small",
        ),
        (nan_logits, BadData, "predictions of validation samples are not finite numbers; train again with a lower"),
        (
            lambda: opened_run(np.zeros((9, 1)), np.zeros((9, 1)), task=Task(("age",), regression=True)),
            ExperimentError,
            "predicts numbers, and only probabilities of classes can be calibrated",
        ),
    ],
)
def test_what_cannot_be_calibrated_says_what_to_do(opened, error, words):
    with pytest.raises(error, match=words) as raised:
        calibrate(opened())
    assert "\n" not in str(raised.value)


def test_labels_have_no_sets_to_choose_a_score_for():
    with pytest.raises(ExperimentError, match="--score, --by-class: are for prediction sets"):
        calibrate(opened_run(*labeled(), task=LABELS, activation="sigmoid"), by_class=True)


def test_sets_by_class_need_50_samples_of_each():
    logits, targets = overconfident(600)
    assert len(calibrate(opened_run(logits, targets), by_class=True).calibration.set_scores.values) == 4
    with pytest.raises(BadData, match="need 50 calibration samples of every class"):
        calibrate(opened_run(logits[:100], targets[:100]), by_class=True)


def test_folds_are_calibrated_one_by_one(tmp_path):
    folds = Ensemble.__new__(Ensemble)
    folds.folder = tmp_path
    with pytest.raises(ExperimentError, match=r"calibrate a single one: ftaug calibrate .*fold-1"):
        calibrate(folds)
