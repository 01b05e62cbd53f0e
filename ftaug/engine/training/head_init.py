"""Initialize a new head: zero weights, and a bias that predicts the class frequencies for every sample.

The predictions of a randomly initialized head are random and confident: the first loss is far above the entropy of the
labels, and random weights in directions that no training feature has stay in the model for good.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ftaug.config.experiment import Experiment
from ftaug.config.task_fit import labels_learned
from ftaug.engine.loading.split import DataSplit
from ftaug.interfaces.data import ClassCounts
from ftaug.interfaces.model import Backbone, Stage

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
MIN_COUNT = 0.5
"""A class without training samples counts as half a sample, so that its logit stays finite."""


class Loaded(NamedTuple):
    """The result of loading pretrained weights."""

    new_layers: tuple[nn.Module, ...]  # last layers of the head that the weights did not fill
    pretrained: bool  # whether the weights filled the layers below the head


def start(backbone: Backbone, experiment: Experiment, train: DataSplit, counts: np.ndarray) -> bool:
    """Load pretrained weights and initialize a new head; return whether it was set to the best constant prediction.

    The library's initialization stays for a head that does not predict labels, such as masked tokens, and for a network
    without pretrained weights: behind a zero head no gradient reaches its layers.
    """
    loaded = load_weights(backbone, len(train.task.classes))
    is_new = loaded.pretrained and loaded.new_layers and labels_learned(experiment)
    if experiment.head_init == "library" or not is_new:
        return False
    start_at(loaded.new_layers, best_constant(experiment, train, counts))
    return True


def last_layers(network: nn.Module, head: Stage, outputs: int) -> list[nn.Module]:
    """Return the output layers of a head: one, or several parallel ones (distilled transformers)."""
    layers = [
        module
        for name, module in network.named_modules()
        if isinstance(module, LAYERS) and head.holds(f"{name}.weight") and len(module.weight) == outputs
    ]
    if not layers or layers[-1].weight.shape[1] == outputs:  # a layer before it may have as many outputs by chance
        return list(layers[-1:])
    return [module for module in layers if module.weight.shape == layers[-1].weight.shape]


@torch.no_grad()
def load_weights(backbone: Backbone, outputs: int) -> Loaded:
    """Load pretrained weights, and detect which parameters they did not fill."""
    head = backbone.stages[-1]
    layers = last_layers(backbone.network, head, outputs)
    weights = [layer.get_parameter("weight") for layer in layers]
    body = [parameter for name, parameter in backbone.network.named_parameters() if not head.holds(name)]
    # Parameters are marked with NaN, which no weights contain, to see which of them loading replaces.
    marked = [*weights, *body[:1]]
    fresh = [parameter.clone() for parameter in marked]
    for parameter in marked:
        parameter.fill_(torch.nan)
    backbone.load_pretrained()
    unfilled = [bool(parameter.isnan().all()) for parameter in marked]
    for parameter, value, is_fresh in zip(marked, fresh, unfilled, strict=True):
        if is_fresh:
            parameter.copy_(value)
    new = tuple(layer for layer, is_new in zip(layers, unfilled, strict=False) if is_new)
    return Loaded(new, pretrained=not all(unfilled[len(layers) :]))


@torch.no_grad()
def start_at(layers: Sequence[nn.Module], logits: Tensor) -> None:
    """Set layers to predict the same logits, float (outputs,), for every sample; zero where a layer has no bias."""
    for layer in layers:
        layer.get_parameter("weight").zero_()
        if isinstance(layer.bias, Tensor):
            layer.bias.copy_(logits)


def best_constant(experiment: Experiment, train: DataSplit, counts: np.ndarray) -> Tensor:
    """Compute the constant logits that minimize the training loss: float64 (outputs,).

    For cross-entropy these are the logarithms of the class frequencies, for binary cross-entropy the log odds of each
    label; class weights, label smoothing and logit adjustment are accounted for. Regression targets are standardized,
    so that the best constant is 0.
    """
    if train.task.regression:
        return torch.zeros(len(train.task.classes), dtype=torch.float64)
    shares = _shares(train, counts)
    start = shares.logit() if experiment.loss.fact("activation") == "sigmoid" else shares.log()
    if not experiment.loss.fact("soft_targets"):
        return start
    seen = ClassCounts(torch.from_numpy(counts if train.task.multi_label else counts.clip(MIN_COUNT)), len(train))
    return _minimize(experiment, start, shares, seen)


def _shares(train: DataSplit, counts: np.ndarray) -> Tensor:
    """Compute the frequency of each class in an epoch, clipped to be strictly between 0 and 1."""
    if train.task.multi_label:
        return torch.from_numpy(counts.clip(MIN_COUNT, len(train) - MIN_COUNT) / len(train))
    return torch.from_numpy(counts.clip(MIN_COUNT) / counts.clip(MIN_COUNT).sum())


def _minimize(experiment: Experiment, start: Tensor, shares: Tensor, counts: ClassCounts) -> Tensor:
    """Minimize the loss over constant logits by L-BFGS.

    The loss is linear in its targets, so their mean represents all samples. A label whose loss has no gradient, such as
    one that every sample has when positives have weight 0, keeps its initial logit.
    """
    logits = start.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([logits], max_iter=200, tolerance_grad=1e-9, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss: Tensor = experiment.loss(logits[None], shares[None], counts)
        torch.autograd.backward(loss)
        return loss

    frequencies = counts.per_class / counts.samples
    (slope,) = torch.autograd.grad(experiment.loss(logits[None], frequencies[None], counts), logits)
    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return logits.detach().where(slope != 0, start) if torch.isfinite(logits).all() else start
