"""Training objectives for texts: masked language modeling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ftaug.config.types import Fraction
from ftaug.text import objective

if TYPE_CHECKING:
    from torch import Tensor

    from ftaug.interfaces.data import MeanLoss

AS_MASK, AS_OTHER = 0.8, 0.1
"""Share of the selected tokens replaced by the mask, and by a random token; the rest stay unchanged."""


@objective.register(learns_targets=False)
def masked_tokens(
    forward: Callable[[Tensor], Tensor],
    views: Sequence[Tensor],
    targets: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    share: Fraction = 0.15,
) -> MeanLoss:
    """Masked language modeling: the cross-entropy of masked tokens, instead of the loss of the labels.

    Settings:
        share: the share of the tokens to predict

    BERT, Devlin et al. 2018: 80 % of these tokens are masked, 10 % are replaced by a random token and 10 % are
    unchanged. It needs a backbone with `head: masked_tokens`.
    """
    import torch
    from torch.nn.functional import cross_entropy

    from ftaug.interfaces.data import MeanLoss
    from ftaug.text.network import GUESSED, IDS, MASK, MASKED, OTHER

    (batch,) = views
    ids, last = batch[:, IDS], batch[:, MASK].sum(dim=1, keepdim=True) - 1
    marks = torch.cat([ids[:, :1], ids.gather(1, last)], dim=1)  # ids of special tokens: [CLS] and [SEP]
    present = (batch[:, MASK] > 0) & ~(ids.unsqueeze(2) == marks.unsqueeze(1)).any(dim=2)
    noise = torch.rand(present.shape, device=batch.device) / share
    chosen = torch.where(noise < AS_MASK, MASKED, torch.where(noise < AS_MASK + AS_OTHER, OTHER, GUESSED))
    chosen = torch.where((noise < 1) & present, chosen, 0)
    logits = forward(torch.cat([batch, chosen.unsqueeze(1)], dim=1))
    labels = ids[chosen > 0]
    return MeanLoss(cross_entropy(logits.float(), labels) if len(labels) else logits.sum(), len(labels))
