"""Training objectives that also learn from samples without labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ftaug.config.kinds import objective
from ftaug.config.types import Count, NonNegative, Positive, Quotient, Share
from ftaug.interfaces.data import SemiSupervisedViews

if TYPE_CHECKING:
    from torch import Tensor

SMALLEST = 1e-12
"""Lower bound of variances and of the mean probability of a class, by which is divided."""


@objective.register(tasks=("single_label",), compares="softmax", unlabeled=True)
def soft_match(
    forward: Callable[[Tensor], Tensor],
    views: SemiSupervisedViews,
    targets: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    weight: NonNegative = 1.0,
    ramp: Share = 1.0,
    ratio: Count = 1,
    momentum: Quotient = 0.99,
    width: Positive = 0.5,
    alignment: bool = True,
) -> Tensor:
    """The loss of labeled samples, plus that of strongly augmented unlabeled ones on their own weak view (SoftMatch).

    loss(z) + weight · mean λ(c) · cross-entropy(z_strong, argmax p_weak), c = max p_weak,
    λ(c) = exp(−max(0, μ − c)² / (2 · width² · σ²))

    Settings:
        weight: the weight of the unlabeled samples
        ramp: the share of training in which the weight rises from 0, for the first predictions of a new head are wrong
        ratio: the number of unlabeled samples for each labeled one; each costs two forward and backward passes
        momentum: how slowly mean and variance of the confidence, μ and σ², and the mean probability of each class
            follow those of a step
        width: the width of λ in standard deviations; the paper's formula has 1, its code 0.5
        alignment: whether c is that of probabilities divided by the mean of their class, so that classes that are
            predicted rarely weigh no less

    SoftMatch, Chen et al. 2023. Weak views have the augmentations that do not vary between views, strong ones all. The
    means are those of earlier steps, and in the first step the unlabeled samples have no weight. Here they are without
    the bias of their start, and momentum is lower than the paper's 0.999, which is for a million steps.
    """
    import torch
    from torch.nn.functional import cross_entropy

    count = len(targets)
    logits = forward(torch.cat([views.labeled, views.weak, views.strong])).float()
    weak, strong = logits[count:].chunk(2)
    probabilities = weak.detach().softmax(dim=1)
    means = None if views.means.values is None else views.means.values.to(probabilities)
    aligned = probabilities
    if alignment and means is not None:
        aligned = probabilities / means[2:].clamp(min=SMALLEST)
        aligned = aligned / aligned.sum(dim=1, keepdim=True)
    confidence = aligned.amax(dim=1)
    views.means.observe(torch.cat([confidence[:, None], confidence[:, None].square(), probabilities], dim=1))
    labeled_loss = loss(logits[:count], targets)
    if means is None:
        return labeled_loss
    variance = (means[1] - means[0].square()).clamp(min=SMALLEST)
    below = (confidence - means[0]).clamp(max=0)
    weights = torch.exp(-below.square() / (2 * width**2 * variance))
    consistency = cross_entropy(strong, probabilities.argmax(dim=1), reduction="none")
    risen = min(1.0, views.progress / ramp) if ramp else 1.0
    return labeled_loss + risen * weight * (weights * consistency).mean()
