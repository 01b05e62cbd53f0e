"""L2-SP: the penalty, by hand."""

import numpy as np
import pytest
import torch
from torch import nn
from trial_networks import backbone

from ftaug.components.peft.l2_sp import l2_sp
from ftaug.errors import ExperimentError
from ftaug.interfaces.model import Backbone, Stage


def test_l2_sp_is_the_distance_to_the_start_and_the_size_of_the_head():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    made = Backbone(network, (Stage("body", ("0", "1")), Stage("head", ("2",))), {}, lambda: None)
    names = frozenset(name for name, _ in network.named_parameters())
    adapted = l2_sp(made, names, backbone_weight=0.3, head_weight=0.07)
    nn.init.normal_(network[0].weight)  # as pretrained weights fill it
    adapted.start()
    start = network[0].weight.detach().numpy().copy()
    assert adapted.penalty().item() == pytest.approx(0.035 * (network[2].weight.detach().numpy() ** 2).sum(), rel=1e-6)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter))
    away = network[0].weight.detach().numpy() - start
    head = network[2].weight.detach().numpy()
    assert adapted.penalty().item() == pytest.approx(0.15 * (away**2).sum() + 0.035 * (head**2).sum(), rel=1e-5)
    adapted.penalty().backward()
    np.testing.assert_allclose(network[0].weight.grad, 0.3 * away, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(network[2].weight.grad, 0.07 * head, rtol=1e-5, atol=1e-7)
    assert network[0].bias.grad is None and network[1].weight.grad is None


def test_l2_sp_refuses_what_would_have_no_effect():
    made = backbone("resnet20")
    names = frozenset(name for name, _ in made.network.named_parameters())
    with pytest.raises(ExperimentError, match="are both 0"):
        l2_sp(made, names, backbone_weight=0, head_weight=0)
    with pytest.raises(ExperimentError, match="nothing of the backbone learns"):
        l2_sp(made, frozenset({"fc.weight", "fc.bias"}))
