"""Keys that identify samples independent of the location and order of the dataset."""

from collections.abc import Iterable, Iterator
from hashlib import blake2b

import numpy as np

from ftaug.interfaces.data import Samples


def sample_keys(samples: Samples) -> Iterator[str]:
    """Iterate the keys of samples; the names if the dataset has no keys."""
    return map(getattr(samples, "key", samples.name), range(len(samples)))


def identities(keys: Iterable[str], groups: np.ndarray | None) -> np.ndarray:
    """Hash each sample's key, or the smallest key in its group, to 64 bits: uint64 (n,).

    Without groups, the hashes of samples with the same key are made distinct by their order.
    """
    if groups is None:
        words = np.fromiter(map(_word, keys), np.uint64)
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
