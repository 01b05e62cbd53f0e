"""Select the best checkpoint: rank evaluations by score and loss."""

import math
from collections.abc import Sequence

from ftaug.interfaces.model import improvements


def rank(score: float, loss: float) -> tuple[float, float]:
    """Return a sort key: larger is better, by score, then by lower loss; values that are not finite rank last."""
    return (
        score if math.isfinite(score) else -math.inf,
        -loss if math.isfinite(loss) else -math.inf,
    )


def best_index(scores: Sequence[float], losses: Sequence[float]) -> int | None:
    """Return the index of the best evaluation, the earliest of equal ones; None if no score is finite."""
    ranks = [rank(score, loss) for score, loss in zip(scores, losses, strict=True)]
    usable = [index for index, (score, _) in enumerate(ranks) if score > -math.inf]
    return max(usable, key=lambda index: (ranks[index], -index), default=None)


def without_improvement(scores: Sequence[float], min_delta: float) -> int:
    """Count the evaluations since the last improvement, for early stopping."""
    improved = improvements(scores, min_delta)
    return improved[::-1].index(True) if any(improved) else len(improved)
