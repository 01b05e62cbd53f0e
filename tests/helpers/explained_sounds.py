"""Networks of sounds whose explanations are known in closed form."""

import torch
from torch import nn

from ftaug.interfaces.explanation import ExplainedOutput


class LinearSum(nn.Module):
    """A linear function of what a network sees of a sound, as two logits."""

    def __init__(self, *shape, seed=0):
        super().__init__()
        self.weights = nn.Parameter(torch.randn(shape, generator=torch.Generator().manual_seed(seed)) / 10)

    def forward(self, inputs):
        value = (inputs * self.weights).flatten(1).sum(dim=1)
        return torch.stack([-value, value], dim=1)


def linear_output(*shape):
    """The second output of a linear network."""
    model = LinearSum(*shape).eval()
    return ExplainedOutput(model, model, (), "sigmoid", 1, 16)


def inputs(*shape, seed=1):
    return torch.randn((1, *shape), generator=torch.Generator().manual_seed(seed))
