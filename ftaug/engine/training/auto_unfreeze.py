"""`unfreeze: auto`: which stages are to learn, by what the loss gains where their weights change by the same share.

To first order a change of a stage's weights by a share of their norm along the gradient lowers the loss by that share
of gradient times weights, the norms of both: the gain. The quotient of the two, the relative gradient norm of Lee et
al. (Surgical Fine-Tuning Improves Adaptation to Distribution Shifts, 2023), is shown beside it; by itself it favours
stages that are small.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ftaug.config.experiment import Experiment
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.training.build import build
from ftaug.engine.training.fit import accumulate_gradients, fed
from ftaug.engine.training.state import TrainingState

HEAD_STEPS = 30
"""Steps in which a head is fitted first: what a fresh one asks of the layers below it is noise."""

HEAD_RATE = 1e-2
GRADIENT_STEPS = 8
ENOUGH = 0.5
"""A stage learns where its gain is at least that share of the largest."""


@dataclass(frozen=True)
class Choice:
    """What is to learn, and why."""

    unfreeze: tuple[str, ...]
    gain: Mapping[str, float]  # by stage, without the head: the norm of the gradient times that of the weights
    relative: Mapping[str, float]  # the one over the other


def resolve_auto_unfreeze(
    experiment: Experiment,
    device: str,
    portions: Mapping[str, DataSplit],
    carry_on: Callable[[], bool] = lambda: True,
) -> tuple[Experiment, Choice | None]:
    """The experiment with what `unfreeze: auto` comes to, and the choice; None where nothing was chosen."""
    if experiment.unfreeze != "auto":
        return experiment, None
    norms = _measured(experiment, device, portions, carry_on)
    if norms is None:
        return experiment, None
    gain = {stage: gradient * weight for stage, (gradient, weight) in norms.items()}
    enough = ENOUGH * max(gain.values(), default=0.0)
    chosen = (*(stage for stage, value in gain.items() if value >= enough), "head")
    relative = {stage: gradient / weight for stage, (gradient, weight) in norms.items()}
    return replace(experiment, unfreeze=chosen), Choice(chosen, gain, relative)


def _measured(
    experiment: Experiment, device: str, portions: Mapping[str, DataSplit], carry_on: Callable[[], bool]
) -> dict[str, tuple[float, float]] | None:
    """Fit the head, then look at the gradients of all stages; None where `carry_on` said no."""
    trial = replace(experiment, unfreeze=("head",), distil=None, train=replace(experiment.train, cache_features=None))
    setup = build(trial, device, portions, pretrained=True)
    steps = min(HEAD_STEPS, setup.horizon.total_steps)
    setup = replace(setup, horizon=setup.horizon._replace(total_steps=steps + GRADIENT_STEPS))
    network = setup.model.network
    setup.plan.apply(network, 0)
    feed = fed(setup, 0)
    head = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(head, lr=HEAD_RATE)
    for step in range(steps):
        if not carry_on():
            return None
        accumulate_gradients(setup, step, feed)
        optimizer.step()
        optimizer.zero_grad()
    network.eval().requires_grad_(True)
    for step in range(steps, steps + GRADIENT_STEPS):
        if not carry_on():
            return None
        earlier = {p: p.grad for p in network.parameters() if p.grad is not None}
        network.zero_grad(set_to_none=True)
        accumulate_gradients(setup, step, feed)
        for parameter, gradient in earlier.items():
            parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient
    return _norms(setup)


def _norms(setup: TrainingState) -> dict[str, tuple[float, float]]:
    """The norms of the mean gradient and of the weights of each stage but the head."""
    found = {}
    for stage in setup.backbone.stages[:-1]:
        own = [p for name, p in setup.model.network.named_parameters() if stage.holds(name) and p.grad is not None]
        gradient, weight = _norm(p.grad for p in own if p.grad is not None), _norm(own)
        if weight:
            found[stage.name] = gradient / GRADIENT_STEPS / setup.scaler.get_scale(), weight
    return found


def _norm(tensors: Iterable[Tensor]) -> float:
    return math.sqrt(sum(float(tensor.detach().double().square().sum()) for tensor in tensors))
