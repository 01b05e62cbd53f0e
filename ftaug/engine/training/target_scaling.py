"""Standardize regression targets to mean 0 and standard deviation 1, and transform predictions back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from ftaug.engine.loading.split import DataSplit
from ftaug.errors import BadData

AnyModule = TypeVar("AnyModule", bound=nn.Module)

TOLERANCE = 1e-4
"""Largest change of predictions, in standard deviations, when the scale is folded into the last layer."""


@dataclass(frozen=True)
class TargetScaler:
    """Standardization of regression targets: mean and standard deviation of each over the training samples."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def of(cls, train: DataSplit) -> "TargetScaler":
        """Fit the scaler to the training targets; raises BadData if a target is constant."""
        values = train.targets.astype(np.float64)
        for name, spread in zip(train.task.classes, np.ptp(values, axis=0), strict=True):
            if spread == 0:
                raise BadData(f"data.train: {name} is the same for every sample: there is nothing to learn")
        return cls(tuple(values.mean(axis=0).tolist()), tuple(values.std(axis=0).tolist()))

    def standard(self, values: Tensor) -> Tensor:
        """Standardize values to mean 0 and deviation 1, as float32; the difference is computed in float64."""
        values = values.double()
        return ((values - values.new_tensor(self.mean)) / values.new_tensor(self.std)).float()


class Unscale(nn.Module):
    """Layer that transforms standardized outputs back to the units of the data, in float64.

    Values whose mean is large against their deviation are not distinct in float32.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, scale: TargetScaler) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(scale.mean, dtype=torch.float64), persistent=False)
        self.register_buffer("std", torch.tensor(scale.std, dtype=torch.float64), persistent=False)

    @property
    def fits_float32(self) -> bool:
        """Whether float32 represents the deviation, and values near the mean to within a small share of it."""
        rounded = torch.maximum((self.std.float() - self.std).abs(), self.mean.abs() * torch.finfo(torch.float32).eps)
        return bool((rounded <= TOLERANCE * self.std).all())

    def forward(self, outputs: Tensor) -> Tensor:
        """Return float64 (batch, numbers); float32 in an export if that is precise enough."""
        return outputs.to(self.std.dtype) * self.std + self.mean


def in_fp32(model: AnyModule) -> AnyModule:
    """Move a model to the CPU in fp32 and eval mode; `Unscale` stays in float64 where float32 is not precise enough."""
    scales = [module for module in model.modules() if isinstance(module, Unscale)]
    exact = [(scale, scale.mean, scale.std) for scale in scales if not scale.fits_float32]
    model = model.to("cpu", torch.float32).eval()
    for scale, mean, std in exact:
        scale.mean, scale.std = mean.cpu(), std.cpu()
    return model


@torch.inference_mode()
def fold(network: nn.Module, scale: TargetScaler, example: Tensor) -> bool:
    """Fold the target scale into the network's last linear layer, in place; return whether that was possible.

    The outputs of the network are then in the units of the data. `example` is an input batch to verify them with.
    """
    layers = [m for m in network.modules() if isinstance(m, nn.Linear) and m.out_features == len(scale.std)]
    if not layers or layers[-1].bias is None:
        return False
    weight, bias = layers[-1].weight, layers[-1].bias
    before, original = network(example).float(), (weight.clone(), bias.clone())
    mean, std = weight.new_tensor(scale.mean), weight.new_tensor(scale.std)
    weight.mul_(std.unsqueeze(1))
    bias.mul_(std).add_(mean)
    same = (scale.standard(network(example).float()) - before).abs().max() <= TOLERANCE * (1 + before.abs().max())
    if not same:
        weight.copy_(original[0])
        bias.copy_(original[1])
    return bool(same)


def scale_from(mean: Sequence[float] | None, std: Sequence[float] | None) -> TargetScaler | None:
    """Restore a scaler from saved values; None if there are none."""
    return TargetScaler(tuple(mean), tuple(std)) if mean is not None and std is not None else None
