"""The effect of each part of an experiment: differences paired by seed, with sign-flip tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ftaug.statistics import sign_flip

LEVEL = 0.95


@dataclass(frozen=True)
class Effect:
    """The effect of a part on a metric: its value with the part less that without it."""

    values: tuple[float, ...]  # of each seed
    low: float  # ends of the confidence interval of the mean; nan with too few seeds
    high: float
    p: float  # of no effect
    adjusted_p: float  # for the number of parts
    higher_is_better: bool

    @property
    def mean(self) -> float:
        """The mean over the seeds."""
        return float(np.mean(self.values))

    @property
    def benefit(self) -> float:
        """The mean, positive if the part improves the metric."""
        return self.mean if self.higher_is_better else -self.mean

    @property
    def verdict(self) -> Literal["helps", "hurts"] | None:
        """Whether an effect is shown."""
        if not self.adjusted_p <= 1 - LEVEL:
            return None
        return "helps" if self.benefit > 0 else "hurts"


def effects(differences: np.ndarray, *, higher_is_better: bool) -> list[Effect]:
    """Test the differences (seeds, parts), with less without, of each part."""
    p, adjusted = sign_flip.p_values(differences), sign_flip.adjusted_p_values(differences)
    return [
        Effect(
            tuple(column.tolist()),
            *sign_flip.interval(column, LEVEL),
            float(p[index]),
            float(adjusted[index]),
            higher_is_better,
        )
        for index, column in enumerate(differences.T)
    ]


def power_note(seeds: int) -> str:
    """Return a note if so few seeds cannot show any effect; else nothing."""
    smallest = sign_flip.smallest_p(seeds)
    if smallest <= 1 - LEVEL + 1e-9:
        return ""
    needed = sign_flip.rows_needed(1 - LEVEL)
    return f"{seeds} seed{'s' * (seeds > 1)} cannot reach 5 %: the smallest possible p is {smallest:.4g}; {needed} can"
