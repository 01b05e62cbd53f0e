"""How far an augmentation may go, and which classes it must spare."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from pictures import augmentation
from reported import Samples, opened

from ftaug.engine.loading.split import whole
from ftaug.interfaces.data import Task
from ftaug.runs.policy import screen as module
from ftaug.runs.policy.screen import Outputs, assess, screen

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


class BrightHalf(torch.nn.Module):
    """Decides by which half, left or right, is brighter; almost certain of it."""

    def forward(self, batch):
        mean = batch.float().mean(dim=(1, 2))
        half = mean.shape[1] // 2
        difference = mean[:, half:].mean(1) - mean[:, :half].mean(1)
        return torch.stack([-difference, difference], dim=1)


def test_a_model_that_is_known(monkeypatch):
    """A flip exchanges the classes; brightness keeps them."""
    task = Task(("left", "right"))
    raw = []
    for number in range(40):
        pixels = np.full((32, 32, 3), 60, np.uint8)
        pixels[:, 16 * (number % 2) : 16 * (number % 2) + 16] += np.uint8(100)
        raw.append(pixels)
    split = whole("val", Samples(task, raw, [number % 2 for number in range(40)]), task)
    run = replace(opened("colors"), model=BrightHalf(), task=task, stages=())
    monkeypatch.setattr(type(run), "splits", {"val": split})
    ops = [augmentation(name) for name in ("horizontal_flip", "vertical_flip", "brightness", "trivial_augment")]
    monkeypatch.setattr(module, "registered_ops", lambda opened: ops)
    results = {each.op: each for each in screen(run)}
    assert set(results) == {"horizontal_flip", "vertical_flip", "brightness"}
    flip = results["horizontal_flip"]
    assert (flip.affinity, flip.cap) == ({1.0: -1.0}, 0)
    assert flip.diversity[1.0] > 10
    assert (results["vertical_flip"].affinity, results["vertical_flip"].cap) == ({1.0: 0.0}, 1.0)
    assert results["brightness"].affinity[0.25] == 0.0
