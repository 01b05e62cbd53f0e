"""`unfreeze: auto`: choose the stages to fine-tune by gradient norms (surgical fine-tuning).

To first order, changing a stage's weights along the gradient by a share s of their norm lowers the loss by
s · ‖gradient‖ · ‖weights‖. The product of the norms is the gain of a stage. Their quotient, the relative gradient norm
of Lee et al. (Surgical Fine-Tuning Improves Adaptation to Distribution Shifts, 2023), is shown beside it; alone it
favors small stages.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ftaug.config.experiment import Experiment
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.training.build import build
from ftaug.engine.training.fit import accumulate_gradients, batch_feed
from ftaug.engine.training.state import TrainingState

HEAD_STEPS = 30
"""Steps that train the head first: the gradients that an untrained head sends to the layers below are noise."""

HEAD_RATE = 1e-2
GRADIENT_STEPS = 8
GAIN_THRESHOLD = 0.5
"""A stage is trained if its gain is at least this share of the largest."""


@dataclass(frozen=True)
class Choice:
    """The stages chosen for fine-tuning, with the measurements that they were chosen by."""

    unfreeze: tuple[str, ...]
    gain: Mapping[str, float]  # by stage, without the head: ‖gradient‖ · ‖weights‖
    relative: Mapping[str, float]  # ‖gradient‖ / ‖weights‖


def resolve_auto_unfreeze(
    experiment: Experiment,
    device: str,
    splits: Mapping[str, DataSplit],
    carry_on: Callable[[], bool] = lambda: True,
) -> tuple[Experiment, Choice | None]:
    """Return the experiment with `unfreeze: auto` resolved, and the choice.

    The choice is None, and the experiment as it was, if `unfreeze` is not auto or `carry_on` returned false.
    """
    if experiment.unfreeze != "auto":
        return experiment, None
    norms = _measure_norms(experiment, device, splits, carry_on)
    if norms is None:
        return experiment, None
    gain = {stage: gradient * weight for stage, (gradient, weight) in norms.items()}
    threshold = GAIN_THRESHOLD * max(gain.values(), default=0.0)
    chosen = (*(stage for stage, value in gain.items() if value >= threshold), "head")
    relative = {stage: gradient / weight for stage, (gradient, weight) in norms.items()}
    return replace(experiment, unfreeze=chosen), Choice(chosen, gain, relative)


def _measure_norms(
    experiment: Experiment, device: str, splits: Mapping[str, DataSplit], carry_on: Callable[[], bool]
) -> dict[str, tuple[float, float]] | None:
    """Train the head, then measure gradient and weight norms by stage; None if `carry_on` returned false."""
    trial = replace(
        experiment, unfreeze=("head",), distillation=None, train=replace(experiment.train, cache_features=None)
    )
    state = build(trial, device, splits, pretrained=True)
    steps = min(HEAD_STEPS, state.training_length.total_steps)
    state = replace(state, training_length=state.training_length._replace(total_steps=steps + GRADIENT_STEPS))
    network = state.model.network
    state.plan.apply(network, 0)
    feed = batch_feed(state, 0)
    head = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(head, lr=HEAD_RATE)
    for step in range(steps):
        if not carry_on():
            return None
        accumulate_gradients(state, step, feed)
        optimizer.step()
        optimizer.zero_grad()
    network.eval().requires_grad_(True)
    for step in range(steps, steps + GRADIENT_STEPS):
        if not carry_on():
            return None
        # Set earlier gradients aside: `accumulate_gradients` may divide all of `p.grad` by the weights of its step.
        earlier = {p: p.grad for p in network.parameters() if p.grad is not None}
        network.zero_grad(set_to_none=True)
        accumulate_gradients(state, step, feed)
        for parameter, gradient in earlier.items():
            parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient
    return _norms(state)


def _norms(state: TrainingState) -> dict[str, tuple[float, float]]:
    """Compute the norms of the mean gradient and of the weights of each stage but the head."""
    norms = {}
    for stage in state.backbone.stages[:-1]:
        parameters = [
            p for name, p in state.model.network.named_parameters() if stage.holds(name) and p.grad is not None
        ]
        gradient, weight = _norm(p.grad for p in parameters if p.grad is not None), _norm(parameters)
        if weight:
            norms[stage.name] = gradient / GRADIENT_STEPS / state.scaler.get_scale(), weight
    return norms


def _norm(tensors: Iterable[Tensor]) -> float:
    return math.sqrt(sum(float(tensor.detach().double().square().sum()) for tensor in tensors))
