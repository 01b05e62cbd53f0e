"""Optimizers. Each takes all parameters at once, in groups; weight decay reaches only the groups that decay."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from ftaug.components.optimizers.joined import joined
from ftaug.config.kinds import optimizer
from ftaug.config.types import Count, Doc, NonNegative, Positive, Wording
from ftaug.errors import ExperimentError, Unavailable

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

Groups = Sequence[Mapping[str, Any]]
Decay = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False), Wording("a number from 0 to below 1")]
Betas = Annotated[tuple[Decay, Decay], Doc("decay of the running means of the gradient and of its square")]
Epsilon = Annotated[Positive, Doc("added to the denominator")]
L2Penalty = Annotated[NonNegative, Doc("L2 penalty, added to the gradient")]
WeightDecay = Annotated[NonNegative, Doc("share of the weight taken off per step, times the learning rate")]


@optimizer.register
def sgd(
    groups: Groups,
    *,
    momentum: Decay = 0.9,
    nesterov: bool = False,
    dampening: Decay = 0.0,
    weight_decay: L2Penalty = 0.0,
) -> Optimizer:
    """Stochastic gradient descent with momentum.

    Settings:
        momentum: how much of the last update is carried into the next
        nesterov: look ahead along the momentum (Nesterov); needs momentum and no dampening
        dampening: how much less of the gradient enters the momentum
    """
    from torch.optim import SGD

    if nesterov and (momentum == 0 or dampening != 0):
        raise ExperimentError("optimizer sgd: nesterov needs a momentum above 0 and a dampening of 0")
    return SGD(
        _decayed(groups, weight_decay),
        momentum=momentum,
        nesterov=nesterov,
        dampening=dampening,
        fused=_fused(groups),
    )


@optimizer.register
def adam(
    groups: Groups,
    *,
    betas: Betas = (0.9, 0.999),
    eps: Epsilon = 1e-8,
    amsgrad: bool = False,
    weight_decay: L2Penalty = 0.0,
) -> Optimizer:
    """Adam, with weight decay as an L2 penalty (Kingma and Ba 2015).

    Settings:
        amsgrad: never let the running mean of the square fall
    """
    from torch.optim import Adam

    return Adam(_decayed(groups, weight_decay), betas=betas, eps=eps, amsgrad=amsgrad, fused=_fused(groups))


@optimizer.register
def adamw(
    groups: Groups,
    *,
    betas: Betas = (0.9, 0.999),
    eps: Epsilon = 1e-8,
    amsgrad: bool = False,
    weight_decay: WeightDecay = 0.01,
) -> Optimizer:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019).

    Settings:
        amsgrad: never let the running mean of the square fall
    """
    from torch.optim import AdamW

    return AdamW(_decayed(groups, weight_decay), betas=betas, eps=eps, amsgrad=amsgrad, fused=_fused(groups))


@optimizer.register
def nadam(
    groups: Groups,
    *,
    betas: Betas = (0.9, 0.999),
    eps: Epsilon = 1e-8,
    momentum_decay: NonNegative = 0.004,
    weight_decay: WeightDecay = 0.01,
) -> Optimizer:
    """Adam with Nesterov momentum (Dozat 2016) and decoupled weight decay.

    Settings:
        momentum_decay: how fast the momentum grows to its full value
    """
    from torch.optim import NAdam

    decayed = _decayed(groups, weight_decay)
    return NAdam(decayed, betas=betas, eps=eps, momentum_decay=momentum_decay, decoupled_weight_decay=True)


@optimizer.register
def radam(
    groups: Groups,
    *,
    betas: Betas = (0.9, 0.999),
    eps: Epsilon = 1e-8,
    weight_decay: WeightDecay = 0.01,
) -> Optimizer:
    """Adam with a rectified start that needs no warmup (Liu et al. 2020) and decoupled weight decay."""
    from torch.optim import RAdam

    return RAdam(_decayed(groups, weight_decay), betas=betas, eps=eps, decoupled_weight_decay=True)


@optimizer.register
def rmsprop(
    groups: Groups,
    *,
    alpha: Decay = 0.99,
    eps: Epsilon = 1e-8,
    momentum: Decay = 0.0,
    centered: bool = False,
    weight_decay: L2Penalty = 0.0,
) -> Optimizer:
    """Divide the gradient by a running mean of its size.

    Settings:
        alpha: decay of the running mean of the gradient's square
        momentum: how much of the last update is carried into the next
        centered: divide by the gradient's standard deviation instead
    """
    from torch.optim import RMSprop

    decayed = _decayed(groups, weight_decay)
    return RMSprop(decayed, alpha=alpha, eps=eps, momentum=momentum, centered=centered)


@optimizer.register
def adagrad(
    groups: Groups,
    *,
    eps: Epsilon = 1e-10,
    lr_decay: NonNegative = 0.0,
    initial_accumulator: NonNegative = 0.0,
    weight_decay: L2Penalty = 0.0,
) -> Optimizer:
    """Divide the gradient by the root of the sum of all its squares so far (Duchi et al. 2011).

    Settings:
        lr_decay: the rate at step t is divided by 1 + t × this, beside the schedule
        initial_accumulator: what the sum of squares starts from
    """
    from torch.optim import Adagrad

    return Adagrad(
        _decayed(groups, weight_decay),
        eps=eps,
        lr_decay=lr_decay,
        initial_accumulator_value=initial_accumulator,
        fused=_fused(groups, devices=("cpu",)),
    )


@optimizer.register(whole_matrices=True)
def muon(
    groups: Groups,
    *,
    momentum: Decay = 0.95,
    nesterov: bool = True,
    iterations: Count = 5,
    betas: tuple[Decay, Decay] = (0.9, 0.999),
    eps: Positive = 1e-8,
    weight_decay: WeightDecay = 0.01,
) -> Optimizer:
    """Orthogonalised momentum for the matrices of hidden layers (Jordan et al. 2024), AdamW for all other parameters.

    AdamW updates embeddings, position tables, the head, norms, biases and convolutions, whose weights have four
    dimensions: Muon is for networks made of linear layers. The updates of matrices are scaled to the size of AdamW's,
    so that one learning rate serves both.

    Settings:
        momentum: how much of the last update of a matrix is carried into the next
        nesterov: look ahead along the momentum (Nesterov)
        iterations: Newton-Schulz iterations towards an orthogonal update
        betas: AdamW's decay of the running means of the gradient and of its square
        eps: added to AdamW's denominator
    """
    from torch import optim

    if not hasattr(optim, "Muon"):
        raise Unavailable("optimizer muon needs torch 2.9 or newer; try adamw")
    whole = [{**group, "fused": _fused(groups)} for group in _decayed(groups, weight_decay)]
    hidden = {id(p) for group in groups for p, inside in zip(group["params"], group["hidden"], strict=True) if inside}
    matrices = _where(whole, lambda p: p.ndim == 2 and id(p) in hidden)
    others = _where(whole, lambda p: p.ndim != 2 or id(p) not in hidden)
    parts: list[Optimizer] = []
    if matrices:
        settings: dict[str, Any] = {"momentum": momentum, "nesterov": nesterov, "ns_steps": iterations}
        parts.append(optim.Muon(matrices, adjust_lr_fn="match_rms_adamw", **settings))
    if others:
        parts.append(optim.AdamW(others, betas=betas, eps=eps))
    return joined(whole, parts)


def _decayed(groups: Groups, weight_decay: float) -> list[dict[str, Any]]:
    """Convert parameter groups for torch: each with its own weight decay."""
    return [{**group, "weight_decay": weight_decay if group["decays"] else 0.0} for group in groups]


def _where(groups: Groups, wanted: Callable[[Tensor], bool]) -> list[dict[str, Any]]:
    """Filter the parameters of groups, keeping a reference to the source group; drop empty groups."""
    selected = [
        {**group, "params": [p for p in group["params"] if wanted(p)], "source": source}
        for source, group in enumerate(groups)
    ]
    return [group for group in selected if group["params"]]


def _fused(groups: Groups, devices: Sequence[str] = ("cpu", "cuda")) -> bool | None:
    """Return True if torch's fused kernels support all parameters (one memory pass per step), else None (default).

    They do not support all sharded parameters (DTensor, `train.shard`).
    """
    parameters = [p for group in groups for p in group["params"]]
    whole = not any(hasattr(p, "full_tensor") for p in parameters)
    return (whole and all(p.device.type in devices and p.is_floating_point() for p in parameters)) or None
