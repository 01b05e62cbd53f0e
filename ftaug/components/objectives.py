"""Training objectives that combine the loss with a consistency term over several views of each sample.

`forward` takes a batch to logits (N, C); `views` are batches of the same samples, the first without the augmentations
that differ between views; `loss` takes logits and targets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ftaug.config.kinds import objective
from ftaug.config.types import Count, NonNegative

if TYPE_CHECKING:
    from torch import Tensor

SMALLEST = 1e-7
"""Lower bound of mixture probabilities, to keep the logarithm finite."""


@objective.register(tasks=("single_label",), compares="softmax")
def jensen_shannon(
    forward: Callable[[Tensor], Tensor],
    views: Sequence[Tensor],
    targets: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    weight: NonNegative = 12.0,
    augmented: Count = 2,
) -> Tensor:
    """The loss of the plain view plus the Jensen–Shannon divergence of the predictions for all views (AugMix).

    loss(z₀) + weight · 1/V Σ_v KL(p_v ‖ M), M = 1/V Σ_v p_v

    Settings:
        weight: the weight of the divergence
        augmented: the number of augmented views; each costs a forward and a backward pass

    AugMix, Hendrycks et al. 2019. The divergence is that of the softmaxes, averaged over samples.
    """
    import torch
    from torch.nn.functional import kl_div

    logits = forward(torch.cat(list(views))).float().chunk(len(views))
    shares = [view.softmax(dim=1) for view in logits]
    mixture = torch.stack(shares).mean(dim=0).clamp(SMALLEST, 1).log()
    distance = torch.stack([kl_div(mixture, share, reduction="batchmean") for share in shares]).mean()
    return loss(logits[0], targets) + weight * distance


@objective.register(tasks=("single_label",), compares="softmax")
def r_drop(
    forward: Callable[[Tensor], Tensor],
    views: Sequence[Tensor],
    targets: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    weight: NonNegative = 1.0,
) -> Tensor:
    """The loss of two forward passes with different dropout masks, plus the divergence of their predictions (R-Drop).

    ½ (loss(z₁) + loss(z₂)) + weight · ½ (KL(p₁ ‖ p₂) + KL(p₂ ‖ p₁))

    Settings:
        weight: the weight of the divergence

    R-Drop, Liang et al. 2021, as in the authors' code: half the paper's loss, so that the learning rate need not
    change, and the weight is half of the paper's α. It costs two forward and two backward passes, and has no effect on
    a network without dropout.
    """
    import torch
    from torch.nn.functional import kl_div

    (batch,) = views
    first, second = forward(torch.cat([batch, batch])).float().log_softmax(dim=1).chunk(2)
    there = kl_div(first, second, reduction="batchmean", log_target=True)
    back = kl_div(second, first, reduction="batchmean", log_target=True)
    return (loss(first, targets) + loss(second, targets)) / 2 + weight * (there + back) / 2


@objective.register(tasks=("single_label",), compares="softmax")
def cutoff(
    forward: Callable[[Tensor], Tensor],
    views: Sequence[Tensor],
    targets: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    weight: NonNegative = 1.0,
    consistency: NonNegative = 1.0,
    augmented: Count = 1,
) -> Tensor:
    """The loss of the plain and the augmented views, plus the divergence of the predictions for all views (Cutoff).

    loss(z₀) + weight · mean loss(z_v) + consistency · 1/V Σ_v KL(p_v ‖ M), M = 1/V Σ_v p_v

    Settings:
        weight: the weight of the loss of the augmented views
        consistency: the weight of the divergence
        augmented: the number of augmented views; each costs a forward and a backward pass

    Cutoff, Shen et al. 2020, with its α and β; in the paper the augmentation is `span_cutoff` or `token_cutoff`. The
    paper sums the losses of several augmented views; this is their mean.
    """
    import torch
    from torch.nn.functional import kl_div

    logits = forward(torch.cat(list(views))).float().chunk(len(views))
    shares = [view.softmax(dim=1) for view in logits]
    mixture = torch.stack(shares).mean(dim=0).clamp(SMALLEST, 1).log()
    distance = torch.stack([kl_div(mixture, share, reduction="batchmean") for share in shares]).mean()
    others = torch.stack([loss(view, targets) for view in logits[1:]]).mean()
    return loss(logits[0], targets) + weight * others + consistency * distance
