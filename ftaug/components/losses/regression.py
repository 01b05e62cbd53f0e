"""Regression losses.

A loss sees outputs and targets (N, numbers) whose targets have mean 0 and deviation 1 over the training samples; it is
the mean over the samples and the numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftaug.config.kinds import loss
from ftaug.config.types import Positive

if TYPE_CHECKING:
    from torch import Tensor

    from ftaug.interfaces.data import ClassCounts


@loss.register(activation="identity", tasks=("regression",))
def mse(logits: Tensor, targets: Tensor, counts: ClassCounts) -> Tensor:
    """Mean squared error of the standardized targets; its optimum is the conditional mean."""
    from torch.nn.functional import mse_loss

    return mse_loss(logits, targets)


@loss.register(activation="identity", tasks=("regression",))
def mae(logits: Tensor, targets: Tensor, counts: ClassCounts) -> Tensor:
    """Mean absolute error of the standardized targets; its optimum is the conditional median."""
    from torch.nn.functional import l1_loss

    return l1_loss(logits, targets)


@loss.register(activation="identity", tasks=("regression",))
def huber(logits: Tensor, targets: Tensor, counts: ClassCounts, *, delta: Positive = 1.0) -> Tensor:
    """Huber loss: quadratic for small errors and linear for large ones, so that outliers weigh less (Huber 1964).

    e²/2 up to |e| = δ, then δ (|e| − δ/2)

    Settings:
        delta: the error at which it becomes linear, in standard deviations of the training targets
    """
    from torch.nn.functional import huber_loss

    return huber_loss(logits, targets, delta=delta)
