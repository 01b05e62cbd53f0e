"""How far an augmentation may go, and which classes it must spare."""

import numpy as np
import pytest

from ftaug.runs.policy.screen import Outputs, assess

LABELS = np.arange(200) % 2  # 100 of each class
CLEAN = Outputs(np.zeros(200), np.full(200, 0.5))


def outputs(wrong_of_first, wrong_of_second=0):
    """Outputs with so many wrong predictions of either class, of 100 each."""
    errors = np.zeros(200)
    errors[np.flatnonzero(LABELS == 0)[:wrong_of_first]] = 1
    errors[np.flatnonzero(LABELS == 1)[:wrong_of_second]] = 1
    return Outputs(errors, np.full(200, 1.0))


def assessed(by_severity, can_spare=False):
    return assess("op", CLEAN, by_severity, LABELS, ("a", "b"), can_spare=can_spare)


def test_the_cap_is_the_last_severity_before_accuracy_falls():
    result = assessed({0.25: outputs(2, 2), 0.5: outputs(14, 14), 1.0: outputs(20, 20)})
    assert result.affinity == {0.25: pytest.approx(-0.02), 0.5: pytest.approx(-0.14), 1.0: pytest.approx(-0.2)}
    assert result.diversity == {s: pytest.approx(2.0) for s in (0.25, 0.5, 1.0)}
    assert (result.cap, result.spared) == (0.5, ())


def test_no_severity_above_a_harmful_one_is_used():
    assert assessed({0.25: outputs(40, 40), 0.5: outputs(0), 1.0: outputs(0)}).cap == 0


def test_a_class_that_loses_its_label_limits_the_severity():
    """29 of 200 are no loss of accuracy to speak of, but they are half of a class."""
    by_severity = {0.25: outputs(5), 0.5: outputs(10), 1.0: outputs(29)}
    assert assessed(by_severity).cap == 1.0
    labels = np.where(np.arange(200) < 58, 0, 1)
    errors = np.where(np.arange(200) < 29, 1.0, 0.0)
    half = {0.25: outputs(0), 1.0: Outputs(errors, np.ones(200))}
    result = assess("op", CLEAN, half, labels, ("a", "b"), can_spare=False)
    assert result.cap == 0.25
    result = assess("op", CLEAN, half, labels, ("a", "b"), can_spare=True)
    assert (result.cap, result.spared) == (1.0, ("a",))


def test_samples_that_were_wrong_before_are_no_loss():
    clean = Outputs(outputs(90).errors, np.ones(200))
    result = assess("op", clean, {1.0: outputs(90)}, LABELS, ("a", "b"), can_spare=True)
    assert (result.cap, result.spared) == (1.0, ())


def test_numbers_have_no_classes_to_spare():
    result = assess("op", CLEAN, {1.0: Outputs(np.full(200, 0.1), np.ones(200))}, None, ("age",), can_spare=True)
    assert (result.cap, result.spared) == (1.0, ())
