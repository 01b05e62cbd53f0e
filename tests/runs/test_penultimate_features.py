import pytest
import torch
from torch import nn
from trial_networks import CLASSES, backbone, inputs

from ftaug.engine.training.state import Model
from ftaug.runs.penultimate_features import FeatureModel, NoFeatures

CPU = torch.device("cpu")


def features_of(name):
    built = backbone(name)
    model = Model(nn.Identity(), built.network, nn.Identity())
    return FeatureModel.of(model, built.stages, len(CLASSES), CPU)


@pytest.mark.parametrize("name", ["resnet20", "vit", "bert"])
def test_the_output_layer_on_the_features_gives_the_logits(name):
    network = features_of(name)
    batch = inputs(name, seed=0)
    features = network.compute(batch)
    assert features.shape == (len(batch), network.layer.weight.shape[1])
    with torch.inference_mode():
        assert torch.allclose(network.layer(torch.from_numpy(features)), network.model(batch), atol=1e-5)


def test_large_maps_of_a_convolutional_head_are_averaged():
    layer = nn.Conv2d(3, 2, 1)
    network = FeatureModel(Model(nn.Identity(), layer, nn.Identity()), layer, CPU)
    batch = torch.rand(2, 3, 64, 64)
    assert network.compute(batch[..., :8, :8]).shape == (2, 3 * 8 * 8)
    assert torch.allclose(torch.from_numpy(network.compute(batch)), batch.mean(dim=(2, 3)))


def test_the_hook_is_removed():
    network = features_of("resnet20")
    network.compute(inputs("resnet20", seed=0))
    assert not network.layer._forward_pre_hooks


def test_a_network_without_stages_has_no_features():
    model = Model(nn.Identity(), nn.Linear(3, 2), nn.Identity())
    with pytest.raises(NoFeatures, match="has no single layer"):
        FeatureModel.of(model, (), 2, CPU)


def test_an_output_layer_that_is_called_twice():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(3, 3)

        def forward(self, batch):
            return self.head(self.head(batch))

    model = Model(nn.Identity(), Twice(), nn.Identity())
    with pytest.raises(NoFeatures, match="takes no features of each sample"):
        FeatureModel(model, model.network.head, CPU).compute(torch.zeros(2, 3))
