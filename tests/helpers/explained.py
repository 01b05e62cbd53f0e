"""Networks whose explanations are known in closed form, and outputs of them."""

import torch
from torch import nn
from trial_networks import backbone

from ftaug.interfaces.explanation import ExplainedOutput


class Linear(nn.Module):
    """A linear function of the pixels, as two logits."""

    def __init__(self, height=8, width=8, seed=0):
        super().__init__()
        self.weights = nn.Parameter(torch.randn(3, height, width, generator=torch.Generator().manual_seed(seed)) / 100)

    def forward(self, inputs):
        value = (inputs.float() * self.weights).sum(dim=(1, 2, 3))
        return torch.stack([-value, value], dim=1)


class Normalized(nn.Module):
    """A network of pixels in 0…255."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, inputs):
        return self.network(inputs.float() / 127.5 - 1)


def linear_output(height=8, width=8):
    model = Linear(height, width).eval()
    return ExplainedOutput(model, model, (), "sigmoid", 1, 16)


def output_of(name, index=1, activation="softmax"):
    """An output of a small network with random weights, also in its head."""
    built = backbone(name)
    head = built.stages[-1]
    for parameter, tensor in built.network.named_parameters():
        if head.holds(parameter) and tensor.ndim > 1:
            nn.init.normal_(tensor, std=0.1)
    return ExplainedOutput(Normalized(built.network).eval(), built.network, built.stages, activation, index)


def pixels(height=32, width=32, seed=0):
    return torch.randint(0, 256, (1, 3, height, width), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)
