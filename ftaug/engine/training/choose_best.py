"""Which evaluation's weights are the best: the order of scores, and how far a small validation set can tell."""

import math
from collections.abc import Sequence

from ftaug.interfaces.model import improvements


def rank(score: float, loss: float) -> tuple[float, float]:
    """A sort key: the higher score first, of equal ones the lower loss. What is not finite comes last."""
    return (
        score if math.isfinite(score) else -math.inf,
        -loss if math.isfinite(loss) else -math.inf,
    )


def best_index(scores: Sequence[float], losses: Sequence[float]) -> int | None:
    """The position of the best evaluation, of equal ones the earliest; None where no score is finite."""
    ranks = [rank(score, loss) for score, loss in zip(scores, losses, strict=True)]
    usable = [index for index, (score, _) in enumerate(ranks) if score > -math.inf]
    return max(usable, key=lambda index: (ranks[index], -index), default=None)


def without_improvement(scores: Sequence[float], min_delta: float) -> int:
    """How many evaluations there were since the last improvement."""
    improved = improvements(scores, min_delta)
    return improved[::-1].index(True) if any(improved) else len(improved)


def wilson_interval(share: float, samples: int) -> tuple[float, float]:
    """The 95 % interval of a proportion that was observed on so many samples (Wilson 1927)."""
    z = 1.959964
    center = share + z * z / (2 * samples)
    half = z * math.sqrt(share * (1 - share) / samples + z * z / (4 * samples**2))
    whole = 1 + z * z / samples
    return max(0.0, (center - half) / whole), min(1.0, (center + half) / whole)
