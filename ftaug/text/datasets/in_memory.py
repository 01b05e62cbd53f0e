"""Labelled texts, held as bytes without a Python object for each."""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal, Protocol

import numpy as np

from ftaug.config.types import Wording
from ftaug.data.names import normalized
from ftaug.data.packed import Packed
from ftaug.errors import BadData
from ftaug.interfaces.data import SplitRows, Task
from ftaug.text.types import Text

Empty = Annotated[Literal["error", "skip"], Wording("error or skip")]
SHOWN = 5


class Names(Protocol):
    """What samples are called, by their positions."""

    def __getitem__(self, index: int) -> str: ...


@dataclass(frozen=True)
class Lines:
    """Samples called by a file and their lines in it."""

    file: str
    numbers: np.ndarray  # int64 (n,)

    def __getitem__(self, index: int) -> str:
        return f"{self.file}:{self.numbers[index]}"


@dataclass(frozen=True)
class Paths:
    """Samples called by their files."""

    root: str
    paths: Packed
    taken: np.ndarray  # int64 (n,): which of the paths

    def __getitem__(self, index: int) -> str:
        return f"{self.root}/{os.fsdecode(self.paths[int(self.taken[index])])}"


@dataclass(frozen=True)
class TextSamples:
    """Texts, or pairs of texts, in memory."""

    parts: tuple[Packed, ...]  # the texts in UTF-8; of pairs, the first ones and the second ones
    names: Names
    targets: np.ndarray
    task: Task
    fingerprint: str
    notes: tuple[str, ...] = ()
    groups: np.ndarray | None = None
    split_rows: SplitRows | None = None
    keys: np.ndarray | None = None  # int64 (n,): equal for the same text

    def __len__(self) -> int:
        return len(self.parts[0])

    def read(self, index: int) -> Text:
        """Return the text, or the pair."""
        return Text(*(part[index].decode() for part in self.parts))

    def key(self, index: int) -> str:
        """A digest of the text, or of the pair, which stays the same when lines are added before it."""
        return text_key(*(part[index] for part in self.parts))

    def name(self, index: int) -> str:
        """Name the text by its file, and by its line where there are several in it."""
        return self.names[index]


def text_key(*texts: bytes) -> str:
    """Sixteen hex digits for a text, or for a pair."""
    digest = hashlib.blake2b(digest_size=8)
    for text in texts:
        digest.update(b"%d\0%b" % (len(text), text))
    return digest.hexdigest()


@dataclass
class Collected:
    """Texts as they come in; those of nothing but white space are left out, and counted."""

    width: int  # 1, or 2 for pairs
    empty: list[int] = field(default_factory=list)  # the places of those left out
    places: array[int] = field(default_factory=lambda: array("q"))  # of those taken: lines of a table, files of a list
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    hashes: array[int] = field(default_factory=lambda: array("q"))  # of the identities of those taken

    def __post_init__(self) -> None:
        self.buffers = [bytearray() for _ in range(self.width)]
        self.ends: list[array[int]] = [array("q") for _ in range(self.width)]

    def take(self, place: int, texts: Sequence[str]) -> bool:
        """Take a text, or a pair, unless it is empty; raises BadData where it is not Unicode."""
        encoded = [encoded_as_utf8(text) for text in texts]
        if any(not text.strip() for text in texts):
            self.empty.append(place)
            return False
        for buffer, ends, part in zip(self.buffers, self.ends, encoded, strict=True):
            buffer += part
            ends.append(len(buffer))
            self.digest.update(b"%d\0%b" % (len(part), part))
        self.places.append(place)
        self.hashes.append(hash(identity(texts)))
        return True

    @property
    def parts(self) -> tuple[Packed, ...]:
        """The texts taken."""
        both = zip(self.buffers, self.ends, strict=True)
        return tuple(Packed(bytes(buffer), np.array(ends, np.int64)) for buffer, ends in both)

    @property
    def taken(self) -> np.ndarray:
        """The places of the texts taken: int64 (n,)."""
        return np.array(self.places, np.int64)

    @property
    def keys(self) -> np.ndarray:
        """Equal for texts that are the same sample: int64 (n,)."""
        return np.array(self.hashes, np.int64)

    def left_out(self, of: str, names: Sequence[str], empty: Empty) -> tuple[str, ...]:
        """A note on the empty texts, by their names; raises BadData unless they are to be skipped, or where all are."""
        if not self.empty:
            return ()
        count, total = len(self.empty), len(self.empty) + len(self.places)
        rest = f" and {count - SHOWN:,} more" if count > SHOWN else ""
        counted = f"{count:,} of {total:,} texts {'are' if count > 1 else 'is'} empty"
        which = f"{', '.join(names[:SHOWN])}{rest}"
        if empty == "error":
            raise BadData(f"{of}: {counted}: {which}; fill them in, or leave them out with empty: skip")
        if count == total:
            raise BadData(f"{of}: all {total:,} texts are empty")
        return (f"{count:,} empty text{'s' * (count > 1)} left out: {which}",)


def identity(texts: Sequence[str]) -> tuple[str, ...]:
    """What texts, or pairs, have in common that are the same sample."""
    return tuple(map(normalized, texts))


def encoded_as_utf8(text: str) -> bytes:
    """The bytes of a text; raises BadData for one that was not UTF-8 where it came from."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        where = f"at its character {error.start + 1}"
        raise BadData(f"the text is not UTF-8 {where}; save the file as UTF-8") from None
