"""Ordinal regression: a loss and metrics for ordered classes such as `bad < fair < good`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ftaug.config.kinds import loss, metric
from ftaug.interfaces.data import Task

if TYPE_CHECKING:
    from torch import Tensor

    from ftaug.interfaces.data import ClassCounts


@loss.register(tasks=("single_label",), ordered=True)
def ordinal(logits: Tensor, targets: Tensor, counts: ClassCounts) -> Tensor:
    """Cross-entropy of being above each threshold of ordered classes: a large error costs more than a small one.

    −1/N Σ_n 1/(C−1) Σ_j [t log P(y > j) + (1 − t) log P(y ≤ j)], t = 1 where the class is above j

    The questions "above this step?" are those of Frank & Hall 2001 and of CORAL (Cao et al. 2020); their
    probabilities are sums of the softmax here, so that they never contradict one another, and the head, the metrics and
    an export are those of any classes. With two classes it is cross-entropy.
    """
    import torch

    logits = logits if logits.dtype == torch.float64 else logits.float()
    shares = _shares(targets, logits)
    total = logits.logsumexp(dim=1, keepdim=True)
    above = logits.flip(1).logcumsumexp(dim=1).flip(1)[:, 1:] - total
    up_to = logits.logcumsumexp(dim=1)[:, :-1] - total
    wanted = shares.flip(1).cumsum(dim=1).flip(1)[:, 1:]
    return -(wanted * above + (1 - wanted) * up_to).mean(dim=1).sum() / len(logits)


@metric.register(higher_is_better=False, tasks=("single_label",), ordered=True)
def mean_absolute_rank_error(probabilities: np.ndarray, targets: np.ndarray, task: Task) -> float:
    """Mean absolute difference between the ranks of the predicted and the true class."""
    if not len(targets):
        return float("nan")
    return float(np.abs(probabilities.argmax(axis=1) - targets).mean())


@metric.register(tasks=("single_label",), ordered=True)
def quadratic_kappa(probabilities: np.ndarray, targets: np.ndarray, task: Task) -> float:
    """Cohen's kappa with quadratic weights: agreement beyond chance, a miss counting by the square of its steps.

    Cohen 1968. It is not a number where one class is all that is predicted and there.
    """
    predicted = probabilities.argmax(axis=1)
    steps = np.arange(probabilities.shape[1])
    predicted_share = np.bincount(predicted, minlength=len(steps)) / max(1, len(predicted))
    true_share = np.bincount(targets, minlength=len(steps)) / max(1, len(predicted))
    by_chance = predicted_share @ ((steps[:, None] - steps) ** 2) @ true_share
    return float(1 - ((predicted - targets) ** 2).mean() / by_chance) if by_chance > 0 else float("nan")


def _shares(targets: Tensor, logits: Tensor) -> Tensor:
    """Convert targets to class probabilities (N, C)."""
    from torch.nn.functional import one_hot

    return (targets if targets.ndim == 2 else one_hot(targets, logits.shape[1])).to(logits.dtype)
