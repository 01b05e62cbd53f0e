"""What training makes small for texts beside the loss of the labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ftaug.config.types import Fraction
from ftaug.text import objective

if TYPE_CHECKING:
    from torch import Tensor

AS_MASK, AS_OTHER = 0.8, 0.1
"""Of the tokens to guess, the share that the mask replaces, and the share that any other does; the rest stay."""


@objective.register(tells_classes=False)
def masked_tokens(
    forward: Callable[[Tensor], Tensor],
    views: Sequence[Tensor],
    targets: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    share: Fraction = 0.15,
) -> Tensor:
    """The cross-entropy of tokens that are hidden from the model, in place of the loss of the labels.

    Settings:
        share: the share of the tokens that the model is to guess

    BERT, Devlin et al. 2018: of those, 80 % are masked, 10 % replaced by any token and 10 % left. It needs a backbone
    with `head: masked_tokens`.
    """
    import torch
    from torch.nn.functional import cross_entropy

    from ftaug.text.network import GUESSED, IDS, MASK, MASKED, OTHER

    (batch,) = views
    present = batch[:, MASK].clone()
    present[:, 0] = 0  # what marks the beginning, and, below, the end
    present.scatter_(1, batch[:, MASK].sum(dim=1, keepdim=True) - 1, 0)
    luck = torch.rand(present.shape, device=batch.device) / share
    chosen = torch.where(luck < AS_MASK, MASKED, torch.where(luck < AS_MASK + AS_OTHER, OTHER, GUESSED))
    chosen = torch.where((luck < 1) & (present > 0), chosen, 0)
    logits = forward(torch.cat([batch, chosen.unsqueeze(1)], dim=1))
    wanted = batch[:, IDS][chosen > 0]
    return cross_entropy(logits.float(), wanted) if len(wanted) else logits.sum()
