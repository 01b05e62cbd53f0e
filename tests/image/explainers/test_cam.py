import numpy as np
import pytest
import torch
from explained import output_of, pixels

from ftaug.image.explainers.cam import grad_cam, hires_cam, layer_cam


def test_of_a_network_with_mean_pooling_and_one_layer_all_are_the_class_activation_map():
    """Zhou et al. 2016: the features of the last layer, weighted as in the linear layer of the class."""
    output = output_of("resnet20", activation="sigmoid")
    network, recorded = output.network, []
    handle = network.layer3.register_forward_hook(lambda module, inputs, values: recorded.append(values))
    with torch.no_grad():
        logits = output.model(pixels())
    handle.remove()
    expected = torch.einsum("chw,c->hw", recorded[0][0], network.fc.weight[1]).detach().numpy() / 64
    assert grad_cam(output, pixels()).values == pytest.approx(expected, abs=1e-5)
    hires = hires_cam(output, pixels())
    assert hires.values == pytest.approx(expected, abs=1e-5)
    assert hires.values.sum() == pytest.approx(float((logits[0, 1] - network.fc.bias[1]).detach()), abs=1e-4)
    positive = torch.einsum("chw,c->hw", recorded[0][0], network.fc.weight[1].clamp(min=0)).detach().numpy() / 64
    assert layer_cam(output, pixels()).values == pytest.approx(positive, abs=1e-5)


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "regnet_x_400mf", "squeezenet1_1", "convnext", "swin", "vit"])
def test_maps_of_other_networks_are_finite_and_not_constant(name):
    output = output_of(name)
    for method in (grad_cam, hires_cam, layer_cam):
        attribution = method(output, pixels(64, 64) if name not in ("vit",) else pixels())
        assert np.isfinite(attribution.values).all()
        assert np.ptp(attribution.values) > 0
        assert min(attribution.values.shape) >= 2
        assert attribution.smooth


def test_gradients_of_the_weights_stay_empty():
    output = output_of("resnet20")
    grad_cam(output, pixels())
    assert all(parameter.grad is None for parameter in output.network.parameters())
    assert not any(module._forward_hooks for module in output.network.modules())
