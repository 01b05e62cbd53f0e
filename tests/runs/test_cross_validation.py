"""Several networks as one: the mean of their probabilities, or of their numbers."""

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax
from torch import nn

from ftaug.runs.cross_validation import EnsembleNetwork


@pytest.mark.parametrize(
    ("activation", "mean_of", "back"),
    [
        ("softmax", lambda x: softmax(x, axis=1), lambda x: softmax(x, axis=1)),
        ("sigmoid", expit, expit),
        ("identity", lambda x: x, lambda x: x),
    ],
)
def test_the_mean_is_of_what_a_user_sees(activation, mean_of, back):
    torch.manual_seed(0)
    members = [nn.Linear(5, 4) for _ in range(3)]
    inputs = torch.randn(7, 5) * 10
    answers = [member(inputs).detach().double().numpy() for member in members]
    found = EnsembleNetwork(members, activation)(inputs).detach().numpy()
    np.testing.assert_allclose(back(found), np.mean([mean_of(one) for one in answers], axis=0), rtol=1e-4, atol=1e-6)


def test_sure_answers_stay_finite():
    members = [nn.Linear(2, 2) for _ in range(2)]
    inputs = torch.full((1, 2), 1e4)
    for activation in ("softmax", "sigmoid"):
        assert torch.isfinite(EnsembleNetwork(members, activation)(inputs)).all()
