"""Optimizers. Each takes all parameters at once, in groups; weight decay reaches only the groups that decay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from ftaug.config.kinds import optimizer
from ftaug.config.types import NonNegative, Positive, Wording
from ftaug.errors import ExperimentError

if TYPE_CHECKING:
    from torch.optim import Optimizer

Groups = Sequence[Mapping[str, Any]]
Decay = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False), Wording("a number from 0 to below 1")]


@optimizer.register
def sgd(
    groups: Groups,
    *,
    momentum: Decay = 0.9,
    nesterov: bool = False,
    dampening: Decay = 0.0,
    weight_decay: NonNegative = 0.0,
) -> Optimizer:
    """Stochastic gradient descent with momentum.

    Settings:
        momentum: how much of the last update is carried into the next
        nesterov: look ahead along the momentum (Nesterov); needs momentum and no dampening
        dampening: how much less of the gradient enters the momentum
        weight_decay: L2 penalty, added to the gradient
    """
    from torch.optim import SGD

    if nesterov and (momentum == 0 or dampening != 0):
        raise ExperimentError("optimizer sgd: nesterov needs a momentum above 0 and a dampening of 0")
    return SGD(
        _decayed(groups, weight_decay),
        momentum=momentum,
        nesterov=nesterov,
        dampening=dampening,
        fused=_fusible(groups),
    )


@optimizer.register
def adam(
    groups: Groups,
    *,
    betas: tuple[Decay, Decay] = (0.9, 0.999),
    eps: Positive = 1e-8,
    amsgrad: bool = False,
    weight_decay: NonNegative = 0.0,
) -> Optimizer:
    """Adam, with weight decay as an L2 penalty (Kingma and Ba 2015).

    Settings:
        betas: decay of the running means of the gradient and of its square
        eps: added to the denominator
        amsgrad: never let the running mean of the square fall
        weight_decay: L2 penalty, added to the gradient
    """
    from torch.optim import Adam

    return Adam(_decayed(groups, weight_decay), betas=betas, eps=eps, amsgrad=amsgrad, fused=_fusible(groups))


@optimizer.register
def adamw(
    groups: Groups,
    *,
    betas: tuple[Decay, Decay] = (0.9, 0.999),
    eps: Positive = 1e-8,
    amsgrad: bool = False,
    weight_decay: NonNegative = 0.01,
) -> Optimizer:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019).

    Settings:
        betas: decay of the running means of the gradient and of its square
        eps: added to the denominator
        amsgrad: never let the running mean of the square fall
        weight_decay: share of the weight taken off per step, times the learning rate
    """
    from torch.optim import AdamW

    return AdamW(_decayed(groups, weight_decay), betas=betas, eps=eps, amsgrad=amsgrad, fused=_fusible(groups))


def _decayed(groups: Groups, weight_decay: float) -> list[dict[str, Any]]:
    """The groups as torch takes them: each with its own weight decay."""
    return [{**group, "weight_decay": weight_decay if group["decays"] else 0.0} for group in groups]


def _fusible(groups: Groups) -> bool:
    """Whether torch's fused kernels can take these parameters: one pass over memory per step, bit-reproducible."""
    parameters = [p for group in groups for p in group["params"]]
    return bool(parameters) and all(p.device.type in ("cpu", "cuda") and p.is_floating_point() for p in parameters)
