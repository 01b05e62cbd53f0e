"""An average of the weights over the steps of training."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ftaug.config.experiment import Train
from ftaug.interfaces.model import TrainingLength


@dataclass(frozen=True)
class Ema:
    """EMA: `decay` a step, early on min(decay, (1 + t) / (10 + t)), so that a short run is not held at its start."""

    decay: float

    def share(self, step: int) -> float:
        """How much of the average the weights after a step (from 1) are."""
        return 1 - min(self.decay, (1 + step) / (10 + step))

    def spans(self, step: int) -> bool:
        """Whether the average is so wide that the statistics of the latest weights are not its own."""
        return False


@dataclass(frozen=True)
class Swa:
    """SWA: from step `first` on each counts the same; before it there is nothing to average. Izmailov et al. 2018."""

    first: int

    def share(self, step: int) -> float:
        """How much of the average the weights after a step (from 1) are."""
        return 1 / max(1, step - self.first + 1)

    def spans(self, step: int) -> bool:
        """Whether the average is so wide that the statistics of the latest weights are not its own."""
        return step > self.first


class Average:
    """An average of a network's parameters; buffers (BatchNorm's statistics) are taken as they are."""

    def __init__(self, network: nn.Module, over: Ema | Swa) -> None:
        self.over = over
        self.tensors: dict[str, Tensor] = {name: p.detach().clone() for name, p in network.state_dict().items()}

    @classmethod
    def of(cls, network: nn.Module, train: Train, horizon: TrainingLength) -> "Average | None":
        """The average that an experiment asks for, if it does."""
        if train.ema is not None:
            return cls(network, Ema(train.ema))
        if train.swa is not None:
            return cls(network, Swa(train.swa.steps(horizon)))
        return None

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Take in the weights after step number `step` (from 1)."""
        parameters = {name for name, _ in network.named_parameters()}
        state = network.state_dict()
        averaged = [self.tensors[name] for name in state if name in parameters]
        torch._foreach_lerp_(averaged, [state[name] for name in state if name in parameters], self.over.share(step))
        self.load({name: value for name, value in state.items() if name not in parameters})

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over values of an average, all or some."""
        for name, value in tensors.items():
            self.tensors[name].copy_(value)

    def copy_to(self, network: nn.Module) -> None:
        """Write the average into a network."""
        network.load_state_dict(self.tensors)
