"""Weights reach an encoder whatever prefix and whatever older names they have."""

from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from ftaug.errors import BadData
from ftaug.hub.fill import fill_encoder
from ftaug.weights import read


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Module()
        self.model.base_model_prefix = "base"
        self.model.base = nn.Module()
        self.model.base.LayerNorm = nn.LayerNorm(3)
        self.model.classifier = nn.Linear(3, 2)


def older(prefix):
    torch.manual_seed(0)
    return {
        f"{prefix}LayerNorm.gamma": torch.rand(3),
        f"{prefix}LayerNorm.beta": torch.rand(3),
        "classifier.weight": torch.rand(2, 3),
        "classifier.bias": torch.rand(2),
    }


@pytest.mark.parametrize("prefix", ["", "base."])
@pytest.mark.parametrize("same_classes", [False, True])
def test_older_names_and_prefixes(tmp_path, prefix, same_classes):
    network, tensors = Network(), older(prefix)
    head = network.model.classifier.weight.clone()
    save_file(tensors, tmp_path / "a.safetensors")
    fill_encoder(network, read(str(tmp_path / "a.safetensors")), same_classes=same_classes)
    base = network.model.base
    values = SimpleNamespace(**{key.removeprefix(prefix).replace(".", "_"): tensor for key, tensor in tensors.items()})
    torch.testing.assert_close(base.LayerNorm.weight, nn.Parameter(values.LayerNorm_gamma))
    torch.testing.assert_close(
        network.model.classifier.weight.detach(), values.classifier_weight if same_classes else head
    )


def test_a_missing_tensor_is_named(tmp_path):
    tensors = older("")
    del tensors["LayerNorm.beta"]
    save_file(tensors, tmp_path / "a.safetensors")
    with pytest.raises(BadData, match=r"LayerNorm\.bias is missing"):
        fill_encoder(Network(), read(str(tmp_path / "a.safetensors")), same_classes=False)
