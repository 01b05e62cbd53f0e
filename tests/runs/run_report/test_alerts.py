import numpy as np
import pytest
from predictions import from_classes, multi_label, regression, single_label
from reported_runs import confident, evaluations, reported

from ftaug.interfaces.document import Section
from ftaug.runs.run_report.alerts import alerts_of

RIGHT = single_label(n=300, classes=3, lean=3)


def keys(run, sections=()):
    return [alert.key for alert in alerts_of(run, sections)]


def calibrated(n=600):
    """Predictions whose confidence is their accuracy."""
    rng = np.random.default_rng(0)
    records = from_classes(rng.integers(0, 3, n), np.zeros(n, int))
    chosen = records.predictions.argmax(axis=1)
    records.targets[:] = np.where(rng.random(n) < 0.9, chosen, (chosen + 1) % 3)
    return records


def test_a_good_run_has_none():
    assert keys(reported(calibrated(), rows=evaluations([0.5, 0.8, 0.9, 0.9, 0.9, 0.9]))) == []


def test_a_model_that_is_no_better_than_the_majority():
    chance = from_classes(np.random.default_rng(0).integers(0, 3, 200), [0] * 120 + [1] * 80)
    assert "no_better_than_chance" in keys(reported(chance))
    assert "no_better_than_chance" not in keys(reported(RIGHT))


def test_confidence_above_accuracy():
    run = reported(confident(RIGHT, 0.999))
    (alert,) = [each for each in alerts_of(run, ()) if each.key == "overconfident"]
    accuracy = float((RIGHT.predictions.argmax(axis=1) == RIGHT.targets).mean())
    assert f"mean confidence is 0.999 and the accuracy {accuracy:.3f}" in alert.message
    assert alert.advice == "Calibrate it: ftaug calibrate run"
    again = reported(confident(RIGHT, 0.999), calibration={"temperature": 2.0})
    assert "calibrated already" in next(a for a in alerts_of(again, ()) if a.key == "overconfident").advice
    assert "overconfident" not in keys(reported(regression()))


def test_the_temperature_is_the_one_of_least_loss():
    run = reported(confident(RIGHT, 0.999))
    message = next(a for a in alerts_of(run, ()) if a.key == "overconfident").message
    temperature = float(message.split("temperature of ")[1].split()[0])
    chosen = RIGHT.predictions.argmax(axis=1) == RIGHT.targets

    def loss(t):
        top = 0.999 ** (1 / t) / (0.999 ** (1 / t) + 2 * 0.0005 ** (1 / t))
        return -np.where(chosen, np.log(top), np.log((1 - top) / 2)).mean()

    assert loss(temperature) <= min(loss(temperature * 0.98), loss(temperature * 1.02))


def test_classes_without_samples_and_classes_never_predicted():
    records = from_classes([0, 0, 1, 1, 0] * 20, [0, 0, 1, 1, 1] * 20, classes=4)
    messages = {alert.key: alert.message for alert in alerts_of(reported(records), ())}
    assert messages["class_without_samples"].startswith("2 classes (class 2, class 3) have no test samples")
    records.targets[:3] = 3
    messages = {alert.key: alert.message for alert in alerts_of(reported(records), ())}
    assert messages["class_without_samples"].startswith("Class class 2 has no test samples")
    assert messages["never_predicted"] == "Class class 3 is never predicted"
    assert "never_predicted" not in keys(reported(multi_label()))


@pytest.mark.parametrize(
    ("values", "losses", "alerted"),
    [
        ([0.5, 0.6, 0.7, 0.8], None, True),
        ([0.05, 0.06, 0.07, 0.08], None, True),  # an eighth more, though little of what lacks to 1
        ([0.5, 0.8, 0.8, 0.8], None, False),
        ([0.5, 0.6, 0.7, 0.8], [0.5, 0.4, 0.3, 0.35], False),  # overfits
        ([0.90, 0.95, 0.96, 0.961], None, False),
        ([0.90, 0.95, 0.96, 0.97], None, True),  # a quarter of the errors
        ([0.9], None, False),
    ],
)
def test_runs_that_were_still_improving(values, losses, alerted):
    run = reported(RIGHT, rows=evaluations(values, losses=losses))
    assert ("still_improving" in keys(run)) is alerted


def test_lower_losses_and_errors_are_better():
    falling, level = evaluations([9, 6, 4, 3], "mae"), evaluations([9, 4, 3, 2.99], "mae")
    assert "still_improving" in keys(reported(regression(), best="mae", rows=falling))
    assert "still_improving" not in keys(reported(regression(), best="mae", rows=level))
    assert "still_improving" in keys(reported(RIGHT, best="loss", rows=evaluations([1] * 4, losses=[4, 3, 2, 1])))
    assert "still_improving" not in keys(reported(RIGHT, best="gone", rows=falling))


def test_changed_data_and_what_the_data_check_says():
    run = reported(RIGHT, cautions=["data.test changed since training: 1 sample added (a.png)"])
    assert alerts_of(run, ())[0].message.startswith("data.test changed")
    findings = [
        {
            "check": "exact_duplicates",
            "level": "caution",
            "samples": 2,
            "text": "test: exact copies of pictures in train",
            "examples": ["a.png = b.png"],
            "remedy": None,
        },
        {"check": "near_duplicates", "level": "note", "samples": 1, "text": "", "examples": [], "remedy": None},
    ]
    (alert,) = alerts_of(reported(calibrated()), [Section("data_check", "", [], {"findings": findings})])
    assert alert.message == "test: exact copies of pictures in train (2 samples, such as a.png = b.png)"
