"""The outputs of exported models: probabilities, calibrated or not, and the logits of the network."""

import pytest
import torch
from torch import nn

from ftaug.engine.training.activated_model import ActivatedModel

LOGITS = torch.tensor([[1.0, -2.0, 0.5], [3.0, 0.0, -1.0]])


@pytest.mark.parametrize(("activation", "function"), [("softmax", lambda x: x.softmax(1)), ("sigmoid", torch.sigmoid)])
@pytest.mark.parametrize(
    "calibration", [None, {"scale": [0.5], "bias": [0.0]}, {"scale": [1, 2, 3], "bias": [0, 1, 2]}]
)
def test_probabilities_are_calibrated_and_logits_are_not(activation, function, calibration):
    probabilities, logits = ActivatedModel(nn.Identity(), activation, calibration)(LOGITS)
    expected = (
        LOGITS
        if calibration is None
        else LOGITS * torch.tensor(calibration["scale"]) + torch.tensor(calibration["bias"])
    )
    torch.testing.assert_close(probabilities, function(expected))
    assert torch.equal(logits, LOGITS)


def test_a_calibration_is_no_part_of_the_weights():
    assert not ActivatedModel(nn.Identity(), "softmax", {"scale": [2.0], "bias": [0.0]}).state_dict()


def test_a_regression_has_its_values_alone():
    (values,) = ActivatedModel(nn.Identity(), "identity")(LOGITS.double())
    assert torch.equal(values, LOGITS.double())
