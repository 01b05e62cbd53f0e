"""How a batch of samples of unequal size goes through the network: in parts, where that spares more than it costs."""

from dataclasses import dataclass

import numpy as np

AT_ONCE = 2048
"""What a processor computes quickest: a larger part leaves its caches."""

PASS_ON_CPU = 128
"""What going through the network once more costs there, in the unit of the sizes."""

PASS_ELSEWHERE = 1 << 40
"""More than any padding."""


@dataclass(frozen=True)
class TokenBudget:
    """The most that goes through the network at once – samples times the largest of them –, and the cost of a pass."""

    budget: int
    cost: int

    @classmethod
    def on(cls, device: str, asked: int | str | None, *, apart: bool) -> "TokenBudget | None":
        """What was asked for; `auto` parts on a processor, if the samples of a batch may go apart."""
        on_cpu = device == "cpu"
        if asked == "auto":
            asked = AT_ONCE if on_cpu and apart else None
        return None if asked is None else cls(int(asked), PASS_ON_CPU if on_cpu else PASS_ELSEWHERE)

    def counts(self, sizes: np.ndarray, most: int) -> list[int]:
        """How many samples each part has, for sizes from the largest down; no part has more than `most`.

        The cheapest way there is: a part costs its samples times the largest of them, and a pass.
        """
        least = np.zeros(len(sizes) + 1)
        first = np.zeros(len(sizes) + 1, np.int64)  # of the part that ends before each place
        for end in range(1, len(sizes) + 1):
            starts = np.arange(max(0, end - most), end)
            work = sizes[starts] * (end - starts)
            fits = (work <= self.budget) | (starts == end - 1)
            costs = np.where(fits, least[starts] + work + self.cost, np.inf)
            best = int(np.argmin(costs))
            least[end], first[end] = costs[best], starts[best]
        counts: list[int] = []
        end = len(sizes)
        while end:
            counts.append(end - int(first[end]))
            end = int(first[end])
        return counts[::-1]
