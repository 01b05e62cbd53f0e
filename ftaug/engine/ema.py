"""An exponential moving average of the weights."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class Average:
    """Averages a network's parameters, `decay` a step; early on less, so that a short run is not held at its start.

    The decay of step t (from 1) is min(decay, (1 + t) / (10 + t)).
    Buffers (BatchNorm's statistics) are taken as they are.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.tensors: dict[str, Tensor] = {name: p.detach().clone() for name, p in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Take in the weights after step number `step` (from 1)."""
        decay = min(self.decay, (1 + step) / (10 + step))
        parameters = {name for name, _ in network.named_parameters()}
        state = network.state_dict()
        averaged = [self.tensors[name] for name in state if name in parameters]
        torch._foreach_lerp_(averaged, [state[name] for name in state if name in parameters], 1 - decay)
        for name, value in state.items():
            if name not in parameters:
                self.tensors[name].copy_(value)

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over an average that was saved."""
        for name, value in tensors.items():
            self.tensors[name].copy_(value)

    def copy_to(self, network: nn.Module) -> None:
        """Write the average into a network."""
        network.load_state_dict(self.tensors)
