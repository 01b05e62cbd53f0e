import numpy as np
import pytest
from predictions import names, single_label
from scipy import optimize
from sklearn.linear_model import LogisticRegression

from ftaug.errors import BadData
from ftaug.interfaces.data import Task
from ftaug.statistics import calibration
from ftaug.statistics.intervals import wilson
from ftaug.statistics.metric_table import standard_metrics
from ftaug.statistics.records import Records, unweighted


def softmax(logits):
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def overconfident(seed, n, classes=5, factor=3.0):
    """Logits whose true ones are a third of them."""
    rng = np.random.default_rng(seed)
    true = rng.normal(size=(n, classes)) * 1.5
    targets = (softmax(true).cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(max=classes - 1)
    return factor * true, targets


def values(logits, targets, task):
    records = Records(task, softmax(logits), targets)
    metrics = standard_metrics(records.task)
    return {name: metrics[name].value(unweighted(records))[0] for name in ("nll", "brier", "ece", "accuracy")}


TASK = Task(names(5))


def test_temperature_lowers_nll_and_ece_on_the_other_half():
    logits, targets = overconfident(0, 4000)
    fitted_on = calibration.fit_half([f"image-{i}.png" for i in range(4000)])
    scaling = calibration.fit_temperature(logits[fitted_on], targets[fitted_on], TASK)
    assert scaling.temperature == pytest.approx(3, rel=0.1)
    rest = ~fitted_on
    before = values(logits[rest], targets[rest], TASK)
    after = values(scaling.logits(logits[rest]), targets[rest], TASK)
    assert after["nll"] < 0.8 * before["nll"] and after["brier"] < before["brier"]
    assert before["ece"] > 0.15 and after["ece"] < 0.04
    assert after["accuracy"] == before["accuracy"]


def test_temperature_is_the_minimum_of_the_likelihood():
    logits, targets = overconfident(1, 300)

    def nll(scale):
        return -np.log(softmax(scale * logits)[np.arange(300), targets]).mean()

    expected = optimize.minimize_scalar(nll, bounds=(1e-3, 5), method="bounded", options={"xatol": 1e-10}).x
    scaling = calibration.fit_temperature(logits.astype(np.float32), targets, TASK)
    assert scaling.scale[0] == pytest.approx(expected, rel=1e-5)
    assert scaling.bias == (0.0,)


def test_labels_share_a_temperature():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(2000, 3)) * 2
    targets = (rng.random((2000, 3)) < 1 / (1 + np.exp(-logits / 2.5))).astype(np.uint8)
    scaling = calibration.fit_temperature(logits, targets, Task(names(3), multi_label=True))
    one = LogisticRegression(C=1e9, fit_intercept=False).fit(logits.reshape(-1, 1), targets.ravel())
    assert scaling.scale[0] == pytest.approx(one.coef_[0, 0], rel=1e-4)


def test_vector_scaling_undoes_a_scale_and_a_bias_of_each_class():
    true, targets = overconfident(2, 20_000, factor=1.0)
    scale, bias = np.array([0.5, 1, 2, 3, 1.5]), np.array([0.0, 1, -1, 2, 0])
    scaling = calibration.fit_vector((true - bias) / scale, targets, TASK)
    assert scaling.temperature is None
    assert scaling.scale == pytest.approx(scale, rel=0.1)
    assert np.array(scaling.bias) - scaling.bias[0] == pytest.approx(bias - bias[0], abs=0.1)
    before, after = (values(x, targets, TASK) for x in ((true - bias) / scale, scaling.logits((true - bias) / scale)))
    assert after["nll"] < before["nll"]


def test_vector_scaling_of_labels_is_a_logistic_regression_of_each():
    rng = np.random.default_rng(3)
    logits = rng.normal(size=(3000, 2)) * 2
    targets = (rng.random((3000, 2)) < 1 / (1 + np.exp(-(logits * [0.4, 1.5] + [1, -0.5])))).astype(np.uint8)
    scaling = calibration.fit_vector(logits, targets, Task(names(2), multi_label=True))
    for index in range(2):
        one = LogisticRegression(C=1e9).fit(logits[:, [index]], targets[:, index])
        assert scaling.scale[index] == pytest.approx(one.coef_[0, 0], rel=1e-3)
        assert scaling.bias[index] == pytest.approx(one.intercept_[0], abs=1e-3)


def test_vector_scaling_needs_100_samples_of_every_class():
    logits, targets = overconfident(0, 400)
    with pytest.raises(
        BadData, match=r"needs 100 calibration samples of every class, and 'class \d' has \d+; fit a temp"
    ):
        calibration.fit_vector(logits, targets, TASK)


def test_a_label_that_nearly_all_samples_have_is_as_rare_as_one_that_few_have():
    targets = np.zeros((300, 3), np.uint8)
    targets[:290, 0] = targets[:150, 1] = targets[:20, 2] = 1
    task = Task(names(3), multi_label=True)
    assert calibration.samples_per_class(targets, task).tolist() == [10, 150, 20]
    with pytest.raises(BadData, match="'class 0' has 10"):
        calibration.fit_vector(np.zeros((300, 3)), targets, task)


def test_logits_that_are_all_right_have_a_finite_scale():
    logits = 2 * np.eye(5)[np.arange(50) % 5]
    scaling = calibration.fit_temperature(logits, np.arange(50) % 5, TASK)
    assert 1 < scaling.scale[0] < 1e5 and np.isfinite(scaling.logits(logits)).all()


def test_logits_that_say_nothing_are_flattened():
    logits, targets = overconfident(0, 2000)
    scaling = calibration.fit_temperature(logits, np.random.default_rng(1).permutation(targets), TASK)
    assert scaling.temperature > 10


@pytest.mark.parametrize(
    ("logits", "words"), [(np.zeros((0, 5)), "there is none"), (np.full((3, 5), np.nan), "not finite numbers")]
)
def test_what_cannot_be_calibrated_is_said(logits, words):
    with pytest.raises(BadData, match=words):
        calibration.fit_temperature(logits, np.zeros(len(logits), int), TASK)


def test_halves_depend_on_the_key_alone():
    keys = [f"class/{i:05}.jpg" for i in range(10_000)]
    half = calibration.fit_half(keys)
    assert half.mean() == pytest.approx(0.5, abs=0.02)
    assert (calibration.fit_half(keys[::-1])[::-1] == half).all()
    assert len(calibration.fit_half(["\udcff.png"])) == 1


def test_reliability_holds_every_decision():
    records = single_label(n=500)
    diagram = calibration.reliability(records, bins=10)
    assert sum(b.samples for b in diagram) == 500
    confidence = records.predictions.max(axis=1)
    middle = next(b for b in diagram if 0.5 < b.confidence <= 0.6)
    rows = (confidence > 0.5) & (confidence <= 0.6)
    assert (middle.samples, middle.accuracy) == (rows.sum(), records.correct[rows].mean())
    assert (middle.low, middle.high) == wilson(middle.accuracy, middle.samples)
    gap = sum(b.samples * abs(b.accuracy - b.confidence) for b in diagram) / 500
    from_metric = standard_metrics(records.task)["ece"].value
    assert calibration.reliability(records)[-1].confidence <= 1
    assert gap == pytest.approx(from_metric(unweighted(records))[0], abs=0.03)
