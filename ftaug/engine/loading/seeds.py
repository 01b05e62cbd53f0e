"""Counter-based random number streams (Philox): draws depend on seed, epoch and sample, never on earlier draws."""

from functools import lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence

from ftaug.config.renamed import stream_key
from ftaug.interfaces.data import Streams


@lru_cache(maxsize=1024)
def word(text: str) -> int:
    """Hash a name to a 64-bit number."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def generator(seed: int, purpose: str, *counter: int) -> np.random.Generator:
    """Return the Philox generator keyed by (seed, purpose) at a counter of up to three words."""
    words = np.zeros(4, np.uint64)  # word 0 advances while drawing
    words[4 - len(counter) :] = counter
    key = Key(seed, word(purpose))
    return np.random.Generator(np.random.Philox(key, counter=words))  # type: ignore[arg-type]  # numpy takes it


class Key(ISeedSequence):
    """Pass a key to Philox unchanged; `key=` is three times slower, because numpy reads entropy first."""

    def __init__(self, *words: int) -> None:
        self.words = np.array(words, np.uint64)

    def generate_state(self, n_words: int, dtype: Any = np.uint64) -> np.ndarray:
        """Return the key: uint64 (2,)."""
        return self.words


def streams(seed: int, epoch: int, sample: int) -> Streams:
    """Return the random streams of one sample in one epoch: a function from the name of an op to its generator.

    A generator is valid until the next stream of the same name, as it is reused: setting its state takes an eighth of
    the time of creating one.
    """
    key = seed, word("augment")

    def stream(op: str) -> np.random.Generator:
        rng, bits, number = _reused(op)
        bits.state = {**FRESH, "state": {"counter": (0, number, sample, epoch), "key": key}}
        return rng

    return stream


FRESH = {"bit_generator": "Philox", "buffer": (0, 0, 0, 0), "buffer_pos": 4, "has_uint32": 0, "uinteger": 0}


@lru_cache(maxsize=1024)
def _reused(op: str) -> tuple[np.random.Generator, np.random.BitGenerator, int]:
    """Return a generator for an op, its source of bits, and the word of the counter that is the op's."""
    bits = np.random.Philox(0)
    return np.random.Generator(bits), bits, word(stream_key(op))


def order(seed: int, epoch: int, count: int) -> np.ndarray:
    """Return the shuffled order of an epoch with `count` samples: int64 (count,)."""
    return generator(seed, "order", epoch).permutation(count)


def step_seed(seed: int, step: int, micro_batch: int, part: int = 0) -> int:
    """Return the torch seed of a micro-batch, for dropout and other randomness inside the network."""
    return word(f"{seed}/{step}/{micro_batch}" + f"/{part}" * (part > 0)) >> 1
