"""How a new head starts: zero weights, and a bias at which every sample gets the best constant answer.

A head that starts at random answers at random, with confidence: the first loss is far above the entropy of the labels,
and what of the random weights no training feature reaches stays in the model for good.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ftaug.config.experiment import Experiment
from ftaug.engine.loading.split import DataSplit
from ftaug.interfaces.data import ClassCounts
from ftaug.interfaces.model import Backbone, Stage

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
FEWEST = 0.5
"""A class without training samples counts as half a sample, so that its logit stays finite."""


class Loaded(NamedTuple):
    """What loading pretrained weights came to."""

    new_layers: tuple[nn.Module, ...]  # the last layers of the head, where the weights hold none for it
    pretrained: bool  # whether there were any for the layers below the head


def start(backbone: Backbone, experiment: Experiment, train: DataSplit, counts: np.ndarray) -> bool:
    """Load the pretrained weights; returns whether the head is new and starts at the best constant answer.

    A head that learns something other than the labels, such as masked tokens, stays as its library initializes it, and
    so does that of a network without pretrained weights: its layers learn nothing until the head does.
    """
    loaded = load_weights(backbone, len(train.task.classes))
    objective = experiment.objective
    learns_labels = objective is None or bool(objective.fact("tells_classes"))
    if experiment.head_init == "library" or not (loaded.pretrained and loaded.new_layers and learns_labels):
        return False
    start_at(loaded.new_layers, best_constant(experiment, train, counts))
    return True


def last_layers(network: nn.Module, head: Stage, outputs: int) -> list[nn.Module]:
    """The layers of a head that give the logits: one, or as many as answer side by side (distilled transformers)."""
    found = [
        module
        for name, module in network.named_modules()
        if isinstance(module, LAYERS) and head.holds(f"{name}.weight") and len(module.weight) == outputs
    ]
    if not found or found[-1].weight.shape[1] == outputs:  # a layer before it may have as many outputs by chance
        return list(found[-1:])
    return [module for module in found if module.weight.shape == found[-1].weight.shape]


@torch.no_grad()
def load_weights(backbone: Backbone, outputs: int) -> Loaded:
    """Load the pretrained weights, and find out what they did not fill."""
    head = backbone.stages[-1]
    layers = last_layers(backbone.network, head, outputs)
    weights = [layer.get_parameter("weight") for layer in layers]
    body = [parameter for name, parameter in backbone.network.named_parameters() if not head.holds(name)]
    marked = [*weights, *body[:1]]
    fresh = [parameter.clone() for parameter in marked]
    for parameter in marked:
        parameter.fill_(torch.nan)  # which no weights that are loaded hold
    backbone.load_pretrained()
    unfilled = [bool(parameter.isnan().all()) for parameter in marked]
    for parameter, value, is_fresh in zip(marked, fresh, unfilled, strict=True):
        if is_fresh:
            parameter.copy_(value)
    new = tuple(layer for layer, is_new in zip(layers, unfilled, strict=False) if is_new)
    return Loaded(new, pretrained=not all(unfilled[len(layers) :]))


@torch.no_grad()
def start_at(layers: Sequence[nn.Module], answer: Tensor) -> None:
    """Let layers give every sample the same answer: float (outputs,); zero where a layer has no bias."""
    for layer in layers:
        layer.get_parameter("weight").zero_()
        if isinstance(layer.bias, Tensor):
            layer.bias.copy_(answer)


def best_constant(experiment: Experiment, train: DataSplit, counts: np.ndarray) -> Tensor:
    """The logits that minimize the training loss if every sample gets the same: float64 (outputs,).

    For cross-entropy the logarithms of the class frequencies, for binary cross-entropy the log odds of each label;
    class weights, smoothing and adjusted logits are allowed for. Numbers are standardized, so that their mean is 0.
    """
    if train.task.regression:
        return torch.zeros(len(train.task.classes), dtype=torch.float64)
    shares = _shares(train, counts)
    start = shares.logit() if experiment.loss.fact("activation") == "sigmoid" else shares.log()
    if not experiment.loss.fact("soft_targets"):
        return start
    seen = ClassCounts(torch.from_numpy(counts if train.task.multi_label else counts.clip(FEWEST)), len(train))
    return _minimized(experiment, start, shares, seen)


def _shares(train: DataSplit, counts: np.ndarray) -> Tensor:
    """How frequent each class is in an epoch, strictly between 0 and 1."""
    if train.task.multi_label:
        return torch.from_numpy(counts.clip(FEWEST, len(train) - FEWEST) / len(train))
    return torch.from_numpy(counts.clip(FEWEST) / counts.clip(FEWEST).sum())


def _minimized(experiment: Experiment, start: Tensor, shares: Tensor, counts: ClassCounts) -> Tensor:
    """Minimize the loss, which is linear in its targets: their mean stands for all samples.

    A label whose loss has no gradient, as one of every sample where positives weigh nothing, keeps its start.
    """
    answer = start.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([answer], max_iter=200, tolerance_grad=1e-9, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss: Tensor = experiment.loss(answer[None], shares[None], counts)
        torch.autograd.backward(loss)
        return loss

    frequencies = counts.per_class / counts.samples
    (slope,) = torch.autograd.grad(experiment.loss(answer[None], frequencies[None], counts), answer)
    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return answer.detach().where(slope != 0, start) if torch.isfinite(answer).all() else start
