"""What identifies samples wherever the data lie, and in whatever order."""

from collections.abc import Iterable, Iterator
from hashlib import blake2b

import numpy as np

from ftaug.interfaces.data import Samples


def sample_keys(samples: Samples) -> Iterator[str]:
    """The key of each sample; its name where the dataset knows nothing better."""
    return map(getattr(samples, "key", samples.name), range(len(samples)))


def identities(keys: Iterable[str], groups: np.ndarray | None) -> np.ndarray:
    """A 64-bit hash of each sample's key, or of the smallest key in its group: uint64 (n,).

    Where samples that belong to no group have the same key, the first, second … of them differ.
    """
    if groups is None:
        words = np.array([_word(key) for key in keys], np.uint64)
        order = np.argsort(words, kind="stable")
        ascending = words[order]
        words[order] += (np.arange(len(words)) - np.searchsorted(ascending, ascending)).astype(np.uint64)
        return words
    smallest: dict[int, str] = {}
    for group, key in zip(groups.tolist(), keys, strict=True):
        smallest[group] = min(key, smallest.get(group, key))
    word_of = {group: _word(key) for group, key in smallest.items()}
    return np.array([word_of[group] for group in groups.tolist()], np.uint64)


def _word(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(errors="surrogateescape"), digest_size=8).digest(), "little")
