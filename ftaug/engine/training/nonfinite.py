"""Steps whose loss or gradient is not finite: how they are found, and undone."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from ftaug.config.experiment import RollBack, SkipSteps, Train
from ftaug.interfaces.model import TrainingLength

SHARE_TO_SKIP = 0.01
"""Share of the steps that `on_nonfinite: skip` leaves out at most."""

ROLLBACKS = 3
"""Number of times that `on_nonfinite: rollback` rolls back at most."""


class Recovery(NamedTuple):
    """What to do on a step whose loss or gradient is not finite, and how often at most."""

    action: Literal["stop", "skip", "rollback"]
    budget: int = 0


def recovery_of(train: Train, length: TrainingLength) -> Recovery:
    """Return what `train.on_nonfinite` asks for."""
    setting = train.on_nonfinite
    if isinstance(setting, RollBack):
        return Recovery("rollback", setting.rollback)
    if isinstance(setting, SkipSteps):
        share = setting.skip
        return Recovery("skip", share if isinstance(share, int) else max(1, round(share * length.total_steps)))
    if setting == "skip":
        return Recovery("skip", max(1, round(SHARE_TO_SKIP * length.total_steps)))
    return Recovery(setting, ROLLBACKS if setting == "rollback" else 0)


class Nonfinite(NamedTuple):
    """A figure of a step that is not finite."""

    figure: str  # `loss` or `gradient norm`
    value: float


def find_nonfinite(loss: Tensor, norm: Tensor | None) -> Nonfinite | None:
    """Return the loss or the gradient norm if it is not finite, None if both are; synchronizes the device once."""
    values = [loss] if norm is None else [loss, norm.to(loss.device)]
    figures = zip(("loss", "gradient norm"), torch.stack([value.double() for value in values]).tolist(), strict=False)
    return next((Nonfinite(name, value) for name, value in figures if not math.isfinite(value)), None)


class BufferSnapshot:
    """A copy of buffers, such as the running statistics of BatchNorm, that a forward pass may change."""

    def __init__(self, buffers: Iterable[Tensor]) -> None:
        self._buffers = list(buffers)
        self._copies = [buffer.clone() for buffer in self._buffers]

    def take(self) -> None:
        """Copy the buffers."""
        if self._buffers:
            torch._foreach_copy_(self._copies, self._buffers)

    def restore(self) -> None:
        """Set the buffers to their values when the snapshot was taken."""
        if self._buffers:
            torch._foreach_copy_(self._buffers, self._copies)
