"""Averages of the weights over training steps: exponential moving average (EMA) and SWA."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ftaug.config.experiment import Train
from ftaug.interfaces.model import TrainingLength


@dataclass(frozen=True)
class Ema:
    """Exponential moving average of weights: it favors recent steps.

    The decay at step t is min(decay, (1 + t) / (10 + t)), so that a short run is not biased to its initial weights.
    """

    decay: float

    def share(self, step: int) -> float:
        """Return the share of the weights after a step (from 1) in the average."""
        return 1 - min(self.decay, (1 + step) / (10 + step))

    def spans(self, step: int) -> bool:
        """Return whether the average needs BatchNorm statistics other than those of the latest weights."""
        return False


@dataclass(frozen=True)
class Swa:
    """Stochastic weight averaging (Izmailov et al. 2018): all steps from `first` on are weighted equally."""

    first: int

    def share(self, step: int) -> float:
        """Return the share of the weights after a step (from 1) in the average."""
        return 1 / max(1, step - self.first + 1)

    def spans(self, step: int) -> bool:
        """Return whether the average needs BatchNorm statistics other than those of the latest weights."""
        return step > self.first


class Average:
    """A running average of a network's parameters; buffers (BatchNorm's statistics) are copied."""

    def __init__(self, network: nn.Module, over: Ema | Swa) -> None:
        self.over = over
        self.tensors: dict[str, Tensor] = {name: p.detach().clone() for name, p in network.state_dict().items()}

    @classmethod
    def of(cls, network: nn.Module, train: Train, length: TrainingLength) -> "Average | None":
        """Build the average that `train.ema` or `train.swa` configures; None without."""
        if train.ema is not None:
            return cls(network, Ema(train.ema))
        if train.swa is not None:
            return cls(network, Swa(train.swa.steps(length)))
        return None

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Update the average with the weights after a step (from 1)."""
        parameters = {name for name, _ in network.named_parameters()}
        state = network.state_dict()
        averaged = [self.tensors[name] for name in state if name in parameters]
        torch._foreach_lerp_(averaged, [state[name] for name in state if name in parameters], self.over.share(step))
        self.load({name: value for name, value in state.items() if name not in parameters})

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Load averaged tensors by name, all or some."""
        for name, value in tensors.items():
            self.tensors[name].copy_(value)

    def copy_to(self, network: nn.Module) -> None:
        """Copy the averaged weights into a network."""
        network.load_state_dict(self.tensors)
