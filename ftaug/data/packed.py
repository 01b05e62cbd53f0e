"""Compact list of byte strings in one buffer, without a Python object for each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Packed:
    """A list of byte strings in one buffer: string i is `buffer[ends[i-1]:ends[i]]`."""

    buffer: bytes
    ends: np.ndarray  # int64 (n,)

    @classmethod
    def of(cls, strings: Iterable[bytes]) -> Packed:
        """Pack byte strings."""
        strings = list(strings)
        return cls(b"".join(strings), np.cumsum([len(s) for s in strings], dtype=np.int64))

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, index: int) -> bytes:
        if not 0 <= index < len(self.ends):
            raise IndexError(index)
        return self.buffer[int(self.ends[index - 1]) if index else 0 : int(self.ends[index])]
