"""Named random streams: each op draws from its own generator, independent of the other ops in the list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from ftaug.config.registry import Component
from ftaug.config.renamed import stream_key
from ftaug.interfaces.data import Streams


def named(ops: Iterable[Component]) -> Iterable[tuple[str, Component]]:
    """Yield each op with the name of its random stream; a second `rotate` is `rotate#1`."""
    uses: Counter[str] = Counter()
    for op in ops:
        yield f"{op.name}#{uses[op.name]}" if uses[op.name] else op.name, op
        uses[op.name] += 1


def branches(rng: np.random.Generator) -> Streams:
    """Return a function from a name to the random generator of an op nested in another op."""
    seed = int(rng.integers(2**63))
    return lambda name: np.random.default_rng(np.array([*_words(seed), *stream_key(name).encode()], np.uint32))


def _words(seed: int) -> tuple[int, ...]:
    """Return a number below 2**63 as numpy does in a seed: as words of 32 bits, the lowest first, and none above."""
    return divmod(seed, 2**32)[::-1] if seed >= 2**32 else (seed,)
