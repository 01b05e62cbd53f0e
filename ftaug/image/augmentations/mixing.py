"""Augmentations of a whole batch: pictures and their targets are mixed with one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ftaug.config.types import Positive, Probability
from ftaug.image import mix

if TYPE_CHECKING:
    from torch import Tensor


@mix.register
def mixup(
    inputs: Tensor,
    targets: Tensor,
    rng: np.random.Generator,
    *,
    alpha: Positive = 0.2,
    probability: Probability = 1.0,
) -> tuple[Tensor, Tensor]:
    """Blend every picture, and its target, with another one of the batch.

    Settings:
        alpha: the share of a picture is drawn from Beta(alpha, alpha): near 0 mostly all or nothing, 1 uniform
        probability: the chance that a batch is mixed

    Zhang et al. 2017.
    """
    share, shift = rng.beta(alpha, alpha), _other(rng, len(inputs))
    if rng.random() >= probability:
        return inputs, targets
    return inputs.roll(shift, 0).lerp(inputs, share), targets.roll(shift, 0).lerp(targets, share)


@mix.register
def cutmix(
    inputs: Tensor,
    targets: Tensor,
    rng: np.random.Generator,
    *,
    alpha: Positive = 1.0,
    probability: Probability = 1.0,
) -> tuple[Tensor, Tensor]:
    """Paste a rectangle of another picture of the batch into every picture; targets are mixed by area.

    Settings:
        alpha: the share that stays is drawn from Beta(alpha, alpha)
        probability: the chance that a batch is mixed

    Yun et al. 2019. The rectangle may reach beyond the picture; the targets go by the area inside.
    """
    share, shift = rng.beta(alpha, alpha), _other(rng, len(inputs))
    height, width = inputs.shape[-2:]
    rows, columns = _side(rng, height, share), _side(rng, width, share)
    if rng.random() >= probability:
        return inputs, targets
    mixed = inputs.clone()
    mixed[..., rows, columns] = inputs.roll(shift, 0)[..., rows, columns]
    kept = 1 - (rows.stop - rows.start) * (columns.stop - columns.start) / (height * width)
    return mixed, targets.roll(shift, 0).lerp(targets, kept)


def _other(rng: np.random.Generator, count: int) -> int:
    """By how many places the partner of every sample is off; never itself, where there are others."""
    return int(rng.integers(1, count)) if count > 1 else 0


def _side(rng: np.random.Generator, length: int, kept: float) -> slice:
    """The rows (or columns) of a rectangle whose area is 1 - kept, clipped to the picture."""
    half = int(length * np.sqrt(1 - kept) / 2)
    centre = int(rng.integers(length))
    return slice(max(centre - half, 0), min(centre + half, length))
