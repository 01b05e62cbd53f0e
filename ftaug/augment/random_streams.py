"""The names of random streams: what one op draws never depends on the ops beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from ftaug.config.registry import Component
from ftaug.interfaces.data import Streams


def named(ops: Iterable[Component]) -> Iterable[tuple[str, Component]]:
    """Each op with the name of its stream: a second `rotate` is `rotate#1`."""
    uses: Counter[str] = Counter()
    for op in ops:
        yield f"{op.name}#{uses[op.name]}" if uses[op.name] else op.name, op
        uses[op.name] += 1


def branches(rng: np.random.Generator) -> Streams:
    """The streams, by name, of ops inside an op."""
    seed = int(rng.integers(2**63))
    return lambda name: np.random.default_rng([seed, *name.encode()])
