"""Mixing of the texts of a batch, in the space of their embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ftaug.config.kinds import ANY_TASK
from ftaug.config.types import Positive
from ftaug.text import mix

if TYPE_CHECKING:
    from torch import Tensor

    from ftaug.text.network import Mixed


@mix.register(tasks=ANY_TASK)
def mixup(
    inputs: Tensor, targets: Tensor, rng: np.random.Generator, *, alpha: Positive = 0.2
) -> tuple[Mixed | Tensor, Tensor]:
    """Interpolate the word embeddings and the labels of each text and another one of the batch.

    Settings:
        alpha: of the beta distribution that the share is drawn from; the larger, the more even the mixtures

    Word mixup, Guo et al. 2019 (arXiv:1905.08941): the embeddings of two texts, padded to one length, place by place.
    """
    import torch

    from ftaug.text.network import Mixed

    share = float(rng.beta(alpha, alpha))
    if len(inputs) < 2:
        return inputs, targets
    shift = int(rng.integers(1, len(inputs)))
    shares = torch.full((len(inputs),), share, device=inputs.device)
    return Mixed(inputs, inputs.roll(shift, 0), shares), targets.roll(shift, 0).lerp(targets, share)
