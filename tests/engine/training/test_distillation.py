"""Distillation: its arithmetic against SciPy, what the teacher is shown, and what must not change it."""

import numpy as np
import pytest
import torch
from scipy.special import expit, log_softmax, softmax
from torch.nn import functional as F

from ftaug.config.experiment import Distillation
from ftaug.engine.training.distillation import Teacher, distillation_loss

RNG = np.random.default_rng(0)
STUDENT, TEACHER = RNG.normal(size=(2, 7, 4)) * 2
TARGETS = RNG.integers(0, 4, 7)


def tensors():
    return torch.from_numpy(STUDENT).float(), torch.from_numpy(TARGETS), torch.from_numpy(TEACHER).float()


@pytest.mark.parametrize("heat", [None, 1.0, 4.0])
@pytest.mark.parametrize("weight", [0.3, 1.0])
def test_softmaxes_are_compared_by_the_formula_of_the_paper(heat, weight):
    found = distillation_loss(Distillation("run", heat, weight), "softmax", F.cross_entropy, *tensors())
    t = heat or 2.0
    p = softmax(TEACHER / t, axis=1)
    distance = (p * (log_softmax(TEACHER / t, axis=1) - log_softmax(STUDENT / t, axis=1))).sum(axis=1).mean()
    own = -log_softmax(STUDENT, axis=1)[np.arange(7), TARGETS].mean()
    assert float(found) == pytest.approx((1 - weight) * own + weight * t**2 * distance, rel=1e-5)


def test_sigmoids_are_compared_class_by_class():
    student, _, teacher = tensors()
    wanted = torch.from_numpy(RNG.integers(0, 2, (7, 4))).float()
    loss = F.binary_cross_entropy_with_logits
    found = distillation_loss(Distillation("run", 3.0, 1.0), "sigmoid", loss, student, wanted, teacher)
    p, q = expit(TEACHER / 3), expit(STUDENT / 3)
    divergence = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
    assert float(found) == pytest.approx(9 * divergence.sum() / 7, rel=1e-5)


def test_of_numbers_the_teachers_are_targets_too():
    student, _, teacher = tensors()
    true = torch.randn(7, 4)
    found = distillation_loss(Distillation("run", None, 0.25), "identity", F.mse_loss, student, true, teacher)
    torch.testing.assert_close(found, 0.75 * F.mse_loss(student, true) + 0.25 * F.mse_loss(student, teacher))


def test_a_student_that_says_what_the_teacher_says_is_at_no_distance():
    student, targets, _ = tensors()
    for activation, wanted in (("softmax", targets), ("sigmoid", targets)):
        zero = distillation_loss(Distillation("run", None, 1.0), activation, F.cross_entropy, student, wanted, student)
        assert float(zero) == pytest.approx(0, abs=1e-6)


def test_the_teacher_neither_learns_nor_drops_nor_counts():
    model = torch.nn.Sequential(torch.nn.BatchNorm1d(4), torch.nn.Dropout(0.5), torch.nn.Linear(4, 3)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    teacher = Teacher(model)
    inputs = torch.randn(9, 4, requires_grad=True)
    first, again = teacher.logits(inputs), teacher.logits(inputs)
    assert torch.equal(first, again) and not first.requires_grad
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
