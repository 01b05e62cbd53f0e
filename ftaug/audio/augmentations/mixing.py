"""Mixup and CutMix of the waveforms of a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ftaug.audio import mix
from ftaug.audio.packed import BEGIN, END, HEADER
from ftaug.augment.transform import MixProbability, happens
from ftaug.config.kinds import ANY_TASK
from ftaug.config.types import Positive

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
    """Blend the waveform, and the target, of every sound with those of another one of the step.

    Settings:
        alpha: the share of a sound is drawn from Beta(alpha, alpha): near 0 mostly all or nothing, 1 uniform

    The masks of its spectrogram are those of the first sound. Source: Zhang et al. 2017 (arXiv:1710.09412).
    """
    share, fires = float(rng.beta(alpha, alpha)), happens(rng, probability)
    if not fires or len(inputs) < 2:
        return inputs, targets
    shift = int(rng.integers(1, len(inputs)))
    others = inputs.roll(shift, 0)
    mixed = _with_both_lengths(inputs, others)
    mixed[:, HEADER:] = others[:, HEADER:].lerp(inputs[:, HEADER:], share)
    return mixed, targets.roll(shift, 0).lerp(targets, share)


@mix.register(tasks=ANY_TASK)
def cutmix(
    inputs: Tensor,
    targets: Tensor,
    rng: np.random.Generator,
    *,
    alpha: Positive = 1.0,
    probability: MixProbability = 1.0,
) -> tuple[Tensor, Tensor]:
    """Replace a stretch of every sound by the same stretch of another one of the step; the targets mix by length.

    Settings:
        alpha: the share of a sound that stays is drawn from Beta(alpha, alpha); 1 is uniform

    For events anywhere in a sound; words are cut in pieces. Source: Yun et al. 2019 (arXiv:1905.04899), in time.
    """
    share, place, fires = float(rng.beta(alpha, alpha)), float(rng.random()), happens(rng, probability)
    if not fires or len(inputs) < 2:
        return inputs, targets
    shift = int(rng.integers(1, len(inputs)))
    samples = inputs.shape[1] - HEADER
    width = round((1 - share) * samples)
    first = HEADER + int(place * (samples - width + 1))
    others = inputs.roll(shift, 0)
    mixed = _with_both_lengths(inputs, others)
    mixed[:, first : first + width] = others[:, first : first + width]
    return mixed, targets.roll(shift, 0).lerp(targets, 1 - width / samples)


def _with_both_lengths(inputs: Tensor, others: Tensor) -> Tensor:
    """Return a copy of a batch in which no part of either sound counts as padding."""
    mixed = inputs.clone()
    mixed[:, BEGIN] = inputs[:, BEGIN].minimum(others[:, BEGIN])
    mixed[:, END] = inputs[:, END].maximum(others[:, END])
    return mixed
