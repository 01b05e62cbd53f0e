"""Mixup of the texts of a batch, in embedding space."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ftaug.augment.transform import MixProbability, happens
from ftaug.config.kinds import ANY_TASK
from ftaug.config.types import Positive
from ftaug.text import mix

if TYPE_CHECKING:
    from torch import Tensor

    from ftaug.text.network import Mixed


@mix.register(tasks=ANY_TASK, standard=True)
def mixup(
    inputs: Tensor,
    targets: Tensor,
    rng: np.random.Generator,
    *,
    alpha: Positive = 0.2,
    probability: MixProbability = 1.0,
) -> tuple[Mixed | Tensor, Tensor]:
    """Blend the word embeddings, and the target, of every text with those of another one of the step.

    Settings:
        alpha: the share of a text is drawn from Beta(alpha, alpha): near 0 mostly all or nothing, 1 uniform

    Word mixup, Guo et al. 2019 (arXiv:1905.08941): the embeddings of two texts, padded to one length, place by place.
    """
    import torch

    from ftaug.text.network import Mixed

    share, fires = float(rng.beta(alpha, alpha)), happens(rng, probability)
    if not fires or len(inputs) < 2:
        return inputs, targets
    shift = int(rng.integers(1, len(inputs)))
    shares = torch.full((len(inputs),), share, device=inputs.device)
    return Mixed(inputs, inputs.roll(shift, 0), shares), targets.roll(shift, 0).lerp(targets, share)
