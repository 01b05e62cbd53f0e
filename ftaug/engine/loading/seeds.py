"""Counter-based random streams: every draw is a function of what it is for, never of what was drawn before."""

from functools import lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence

from ftaug.interfaces.data import Streams


@lru_cache(maxsize=1024)
def word(text: str) -> int:
    """A fixed 64-bit number for a name."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def generator(seed: int, purpose: str, *counter: int) -> np.random.Generator:
    """The Philox stream keyed by (seed, purpose) at a counter of up to three words."""
    words = np.zeros(4, np.uint64)  # word 0 is the one that advances while drawing
    words[4 - len(counter) :] = counter
    key = Key(seed, word(purpose))
    return np.random.Generator(np.random.Philox(key, counter=words))  # type: ignore[arg-type]  # numpy takes it


class Key(ISeedSequence):
    """Hands a key to Philox as it is; `key=` costs three times as much, because numpy asks for entropy first."""

    def __init__(self, *words: int) -> None:
        self.words = np.array(words, np.uint64)

    def generate_state(self, n_words: int, dtype: Any = np.uint64) -> np.ndarray:
        """Return the key: uint64 (2,)."""
        return self.words


def streams(seed: int, epoch: int, sample: int) -> Streams:
    """The streams of one sample in one epoch: from the name of an op to its generator.

    A generator serves until the next stream of the same name: to set its state takes an eighth of making a new one.
    """
    key = seed, word("augment")

    def stream(op: str) -> np.random.Generator:
        rng = _reused(op)
        position = {"counter": (0, word(op), sample, epoch), "key": key}
        rng.bit_generator.state = {**FRESH, "state": position}
        return rng

    return stream


FRESH = {"bit_generator": "Philox", "buffer": (0, 0, 0, 0), "buffer_pos": 4, "has_uint32": 0, "uinteger": 0}


@lru_cache(maxsize=1024)
def _reused(op: str) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(0))


def order(seed: int, epoch: int, count: int) -> np.ndarray:
    """The order in which an epoch visits `count` samples: int64 (count,)."""
    return generator(seed, "order", epoch).permutation(count)


def step_seed(seed: int, step: int, part: int) -> int:
    """What dropout and other randomness inside the network start from, for one part of one step."""
    return word(f"{seed}/{step}/{part}") >> 1
