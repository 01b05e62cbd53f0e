"""Batch mixing for images: MixUp, CutMix, ResizeMix, FMix; inputs and targets are mixed within a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ftaug.augment.transform import MixProbability, between
from ftaug.config.kinds import ANY_TASK
from ftaug.config.types import Positive
from ftaug.image import mix
from ftaug.image.augmentations.transforms import ShareRange

if TYPE_CHECKING:
    from torch import Tensor


@mix.register(tasks=ANY_TASK, standard=True)
def mixup(
    inputs: Tensor,
    targets: Tensor,
    rng: np.random.Generator,
    *,
    alpha: Positive = 0.2,
    probability: MixProbability = 1.0,
) -> tuple[Tensor, Tensor]:
    """Blend every picture, and its target, with another one of the step.

    Settings:
        alpha: the share of a picture is drawn from Beta(alpha, alpha): near 0 mostly all or nothing, 1 uniform

    Zhang et al. 2017.
    """
    share, shift = rng.beta(alpha, alpha), _other(rng, len(inputs))
    if rng.random() >= probability:
        return inputs, targets
    return inputs.float().roll(shift, 0).lerp(inputs.float(), share), targets.roll(shift, 0).lerp(targets, share)


@mix.register(standard=True)
def cutmix(
    inputs: Tensor,
    targets: Tensor,
    rng: np.random.Generator,
    *,
    alpha: Positive = 1.0,
    probability: MixProbability = 1.0,
) -> tuple[Tensor, Tensor]:
    """Paste a rectangle of another picture of the step into every picture; targets are mixed by area.

    Settings:
        alpha: the share that stays is drawn from Beta(alpha, alpha)

    Yun et al. 2019. The rectangle may reach beyond the picture; the targets go by the area inside.
    """
    share, shift = rng.beta(alpha, alpha), _other(rng, len(inputs))
    height, width = inputs.shape[-2:]
    rows, columns = _side(rng, height, share), _side(rng, width, share)
    if rng.random() >= probability:
        return inputs, targets
    mixed = inputs.clone()
    mixed[..., rows, columns] = inputs.roll(shift, 0)[..., rows, columns]
    remaining = 1 - (rows.stop - rows.start) * (columns.stop - columns.start) / (height * width)
    return mixed, targets.roll(shift, 0).lerp(targets, remaining)


@mix.register
def resizemix(
    inputs: Tensor,
    targets: Tensor,
    rng: np.random.Generator,
    *,
    side: ShareRange = (0.1, 0.8),
    probability: MixProbability = 1.0,
) -> tuple[Tensor, Tensor]:
    """Paste another picture of the step, made smaller, into every picture; targets are mixed by area.

    Settings:
        side: the smallest and the largest side of what is pasted, as shares of the picture's; uniform between them

    Qin et al. 2020. All of the other picture is there, so that its target is never pasted without what it names.
    """
    import torch

    share, shift = between(rng, *side), _other(rng, len(inputs))
    whole = inputs.shape[-2:]
    height, width = (max(1, round(share * length)) for length in whole)
    top, left = int(rng.integers(whole[0] - height + 1)), int(rng.integers(whole[1] - width + 1))
    if rng.random() >= probability:
        return inputs, targets
    small = torch.nn.functional.interpolate(
        inputs.float().roll(shift, 0), (height, width), mode="bilinear", antialias=True
    )
    mixed = inputs.clone()
    mixed[..., top : top + height, left : left + width] = small if inputs.is_floating_point() else small.round()
    remaining = 1 - height * width / (whole[0] * whole[1])
    return mixed, targets.roll(shift, 0).lerp(targets, remaining)


@mix.register
def fmix(
    inputs: Tensor,
    targets: Tensor,
    rng: np.random.Generator,
    *,
    alpha: Positive = 1.0,
    decay: Positive = 3.0,
    probability: MixProbability = 1.0,
) -> tuple[Tensor, Tensor]:
    """Take regions of any shape from another picture of the step; targets are mixed by area.

    Settings:
        alpha: the share that stays is drawn from Beta(alpha, alpha)
        decay: how fast the waves that the regions are made of weaken with their frequency: higher is smoother

    Harris et al. 2020.
    """
    import torch

    share, shift = rng.beta(alpha, alpha), _other(rng, len(inputs))
    stays = torch.from_numpy(_smooth_mask(rng, inputs.shape[-2], inputs.shape[-1], share, decay)).to(inputs.device)
    if rng.random() >= probability:
        return inputs, targets
    return torch.where(stays, inputs, inputs.roll(shift, 0)), targets.roll(shift, 0).lerp(
        targets, float(stays.float().mean())
    )


def _smooth_mask(rng: np.random.Generator, height: int, width: int, share: float, decay: float) -> np.ndarray:
    """Return a mask of a share of the pixels in smooth regions, from thresholded low-frequency noise; bool (H, W)."""
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    real, imaginary = rng.normal(size=(2, *frequency.shape))
    waves = (real + 1j * imaginary) / np.maximum(frequency, 1 / max(height, width)) ** decay
    field = np.fft.irfft2(waves, s=(height, width))
    mask = np.zeros(height * width, bool)
    mask[np.argsort(field, axis=None)[: round(share * mask.size)]] = True
    return mask.reshape(height, width)


def _other(rng: np.random.Generator, count: int) -> int:
    """Draw the offset within the batch to each sample's mixing partner; never 0 if there are other samples."""
    return int(rng.integers(1, count)) if count > 1 else 0


def _side(rng: np.random.Generator, length: int, remaining: float) -> slice:
    """Draw the rows or columns of a rectangle of area 1 - `remaining`, clipped to the image."""
    half = int(length * np.sqrt(1 - remaining) / 2)
    center = int(rng.integers(length))
    return slice(max(center - half, 0), min(center + half, length))
