"""Means over optimizer steps of what an objective observes, such as the confidence for unlabeled samples."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ftaug.config.experiment import Experiment


class RunningMeans:
    """An exponential moving average over steps of the mean over a step's samples, without the bias of its start.

    It changes between steps alone, by what all parts of the step observed. So it depends neither on micro-batches nor
    on the number of processes.
    """

    def __init__(self, momentum: float, size: int) -> None:
        self.momentum = momentum
        self.tensors = {"sums": torch.zeros(size, dtype=torch.float64), "weight": torch.zeros(1, dtype=torch.float64)}
        self._observed = torch.zeros(size + 1, dtype=torch.float64)

    @classmethod
    def of(cls, experiment: Experiment, size: int) -> "RunningMeans | None":
        """Return the means of an experiment; None if its objective observes nothing."""
        objective = experiment.objective
        takes = objective is not None and objective.fact("unlabeled")
        return cls(float(objective.settings["momentum"]), size) if objective is not None and takes else None

    @property
    def values(self) -> Tensor | None:
        """The means before this step: float64 (k,), on the CPU; None before the first."""
        weight = self.tensors["weight"]
        return None if weight == 0 else self.tensors["sums"] / weight

    def observe(self, values: Tensor) -> None:
        """Add the values of samples, (n, k), to what this step or part of a step has observed."""
        sums = values.detach().double().sum(dim=0).cpu()
        self._observed += torch.cat([sums, sums.new_tensor([len(values)])])

    def take(self) -> Tensor:
        """Return the sums that were observed and the number of samples, float64 (k + 1,), and forget them."""
        observed, self._observed = self._observed, torch.zeros_like(self._observed)
        return observed

    def update(self, observed: Tensor) -> None:
        """Apply the sums of a whole step."""
        share = 1 - self.momentum
        self.tensors["sums"].mul_(self.momentum).add_(share * observed[:-1] / observed[-1])
        self.tensors["weight"].mul_(self.momentum).add_(share)

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Restore the means of a checkpoint; raises KeyError."""
        for name, tensor in self.tensors.items():
            tensor.copy_(tensors[name])
