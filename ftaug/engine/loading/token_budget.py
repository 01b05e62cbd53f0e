"""Token budget: split a batch of samples of unequal size into micro-batches where that saves padding."""

from dataclasses import dataclass

import numpy as np

CPU_TOKENS = 2048
"""The fastest number of tokens per micro-batch on a CPU: larger ones exceed its caches."""

CPU_PASS_COST = 128
"""The overhead of another forward pass on a CPU, in tokens."""

OTHER_PASS_COST = 1 << 40
"""On other devices: more than any padding, so that batches are split only by the budget."""


@dataclass(frozen=True)
class TokenBudget:
    """The maximum tokens of a micro-batch, its samples times the longest, and the overhead of a forward pass."""

    budget: int
    cost: int

    @classmethod
    def on(cls, device: str, tokens: int | str | None, *, apart: bool) -> "TokenBudget | None":
        """Return the token budget of a device; `auto` sets one on a CPU if samples may be split (`apart`)."""
        on_cpu = device == "cpu"
        if tokens == "auto":
            tokens = CPU_TOKENS if on_cpu and apart else None
        return None if tokens is None else cls(int(tokens), CPU_PASS_COST if on_cpu else OTHER_PASS_COST)

    def counts(self, sizes: np.ndarray, most: int) -> list[int]:
        """Return the number of samples of each micro-batch, at most `most`, for sizes in descending order.

        Dynamic programming minimizes the total cost: of each micro-batch its samples times the largest, and a pass.
        """
        least = np.zeros(len(sizes) + 1)
        first = np.zeros(len(sizes) + 1, np.int64)  # start of the last micro-batch of the best split
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
