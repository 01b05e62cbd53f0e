"""Training objectives without labels, for pretraining on the samples of a task before it is learned.

The head of the network has outputs of the objective instead of the classes: one for each sample, or the values of an
embedding. `forward` takes a batch to them (N, outputs); `views` are batches of the same samples, augmented
independently; `targets` are the indices of the samples where each has an output, and embeddings if a teacher has some.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

from ftaug.config.kinds import objective
from ftaug.config.types import Count, Doc, FilePath, NonNegative, Positive, Probability
from ftaug.errors import Diverged

if TYPE_CHECKING:
    from torch import Tensor

Dimensions = Annotated[Count, Doc("the number of values of the embedding")]

EPSILON = 1e-4
"""Added to variances, so that the gradient of the standard deviation is finite."""

COLLAPSED = 1e-3
"""Ratio of the embeddings' standard deviation to their size below which all samples have the same embedding."""


@objective.register(learns_targets=False, outputs="samples")
def instance(
    forward: Callable[[Tensor], Tensor],
    views: Sequence[Tensor],
    targets: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    label_smoothing: Probability = 0.8,
) -> Tensor:
    """Instance discrimination: cross-entropy where each sample is a class of its own (DIET).

    Settings:
        label_smoothing: share of the target that is spread over all samples

    DIET, Ibrahim et al. 2024; for fine-tuning DIET-CP, 2025. The head has an output for each training sample. Beyond
    50,000 samples it has 256, which are multiplied by a fixed random code of each sample: a head of low rank.
    """
    from torch.nn.functional import cross_entropy

    (batch,) = views
    return cross_entropy(forward(batch).float(), targets, label_smoothing=label_smoothing)


@objective.register(learns_targets=False, outputs="dimensions", per_sample=False, views=2)
def vicreg(
    forward: Callable[[Tensor], Tensor],
    views: Sequence[Tensor],
    targets: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    dimensions: Dimensions = 256,
    invariance: NonNegative = 25.0,
    variance: NonNegative = 25.0,
    covariance: NonNegative = 1.0,
) -> Tensor:
    """Variance-invariance-covariance regularization of the embeddings of two views (VICReg).

    invariance · mean (z − z')² + variance · Σ_views mean max(0, 1 − std) / 2 + covariance · Σ_views Σ off-diagonal² / D

    Settings:
        invariance: the weight of the squared distance of the views
        variance: the weight of the hinge that holds the standard deviation of each value at 1 or above
        covariance: the weight of the squared covariances of different values

    Bardes, Ponce and LeCun 2022, with a linear projector. Statistics are those of a micro-batch. If all samples get the
    same embedding, training ends with exit code 3.
    """
    import torch

    first, second = forward(torch.cat(list(views))).float().chunk(2)
    _check_spread(first)
    distance = (first - second).square().mean()
    spread, redundancy = torch.zeros_like(distance), torch.zeros_like(distance)
    for view in (first, second):
        centered = view - view.mean(dim=0)
        variances = centered.square().sum(dim=0) / max(1, len(view) - 1)
        spread = spread + (1 - (variances + EPSILON).sqrt()).clamp(min=0).mean() / 2
        products = centered.T @ centered / max(1, len(view) - 1)
        redundancy = redundancy + (products.square().sum() - products.diagonal().square().sum()) / view.shape[1]
    return invariance * distance + variance * spread + covariance * redundancy


@objective.register(learns_targets=False, outputs="dimensions", per_sample=False, views=2)
def simclr(
    forward: Callable[[Tensor], Tensor],
    views: Sequence[Tensor],
    targets: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    dimensions: Dimensions = 128,
    temperature: Positive = 0.5,
) -> Tensor:
    """Contrastive loss of two views (SimCLR): the other view of a sample against all other samples of the micro-batch.

    Cross-entropy of the cosines of the embeddings divided by the temperature (NT-Xent)

    Settings:
        temperature: divides the cosines

    Chen et al. 2020, with a linear projector. A micro-batch needs two samples or more, and more are better.
    """
    import torch
    from torch.nn.functional import cross_entropy, normalize

    embeddings = normalize(forward(torch.cat(list(views))).float())
    count = len(views[0])
    cosines = embeddings @ embeddings.T / temperature
    itself = torch.eye(2 * count, dtype=torch.bool, device=cosines.device)
    partners = torch.arange(2 * count, device=cosines.device).roll(count)
    return cross_entropy(cosines.masked_fill(itself, -torch.inf), partners)


@objective.register(learns_targets=False, outputs="dimensions")
def feature_distillation(
    forward: Callable[[Tensor], Tensor],
    views: Sequence[Tensor],
    targets: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    teacher: FilePath,
    dimensions: Dimensions = 256,
    stored_views: Count = 4,
) -> Tensor:
    """Learn the features of a teacher, another run, for the same views of samples (feature distillation).

    Smooth L1 distance (β = 2) of the embedding from the teacher's features, the inputs of its output layer

    Settings:
        teacher: the run folder of the teacher, whose best checkpoint is used; its classes do not matter
        stored_views: the number of augmented views of each sample, which epochs take in turn: the teacher computes and
            stores its features once a view, before the first step

    Wei et al. 2022, whose student predicts all normalized features; here these are multiplied by a fixed random matrix,
    which preserves their distances, so that the head does not depend on the teacher.
    """
    from torch.nn.functional import smooth_l1_loss

    (batch,) = views
    return smooth_l1_loss(forward(batch).float(), targets, beta=2.0)


def _check_spread(embeddings: Tensor) -> None:
    """Raise Diverged if all samples of a batch have the same embedding."""
    if len(embeddings) < 2:
        return
    spread, size = embeddings.detach().std(dim=0).mean(), embeddings.detach().abs().mean()
    if spread < COLLAPSED * size:
        raise Diverged(
            "training collapsed: all samples have the same embedding; raise objective.vicreg.variance, or lower lr.peak"
        )
