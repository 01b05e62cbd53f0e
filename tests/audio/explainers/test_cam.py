"""Class activation maps on spectrograms."""

import numpy as np
import pytest
import torch
from explained_sounds import inputs, linear_output
from torch import nn

from ftaug.audio.explainers.cam import grad_cam, layer_cam
from ftaug.interfaces.explanation import CannotExplain, ExplainedOutput
from ftaug.interfaces.model import Stage


class Pooled(nn.Module):
    """A convolution, the mean of its features over the spectrogram, and a head."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.features = nn.Conv2d(3, 5, 4, stride=4)
        self.head = nn.Linear(5, 2)

    def forward(self, spectrograms):
        return self.head(self.features(spectrograms).mean(dim=(2, 3)))


@pytest.fixture
def output():
    model = Pooled().eval()
    stages = (Stage("features", ("features",)), Stage("head", ("head",)))
    return ExplainedOutput(model, model, stages, "sigmoid", 1)


def test_grad_cam_is_the_head_on_each_place(output):
    sample = inputs(3, 32, 48)
    values = grad_cam(output, sample).values
    with torch.no_grad():
        features = output.model.features(sample)[0].permute(1, 2, 0)
        expected = features @ output.model.head.weight[1] / features[..., 0].numel()
    np.testing.assert_allclose(values, expected.numpy(), atol=1e-6)


def test_layer_cam_takes_positive_gradients_alone(output):
    sample = inputs(3, 32, 48)
    with torch.no_grad():
        output.model.head.weight.abs_()
    np.testing.assert_allclose(layer_cam(output, sample).values, grad_cam(output, sample).values, atol=1e-6)
    with torch.no_grad():
        output.model.head.weight.neg_()
    assert not layer_cam(output, sample).values.any()
    assert grad_cam(output, sample).values.any()


def test_networks_on_waveforms_have_no_grid():
    with pytest.raises(CannotExplain, match="needs a layer with a spatial grid"):
        grad_cam(linear_output(50), inputs(50))
