"""Compact list of byte strings in one buffer, without a Python object for each."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
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
        buffer, ends = bytearray(), array("q")
        for string in strings:
            buffer += string
            ends.append(len(buffer))
        return cls(bytes(buffer), np.array(ends, np.int64))

    def take(self, rows: np.ndarray) -> Packed:
        """Return the strings of some rows."""
        return Packed.of(map(self.__getitem__, rows.tolist()))

    def __len__(self) -> int:
        return len(self.ends)

    def __iter__(self) -> Iterator[bytes]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, index: int) -> bytes:
        if not 0 <= index < len(self.ends):
            raise IndexError(index)
        return self.buffer[int(self.ends[index - 1]) if index else 0 : int(self.ends[index])]
