"""In-memory text dataset: UTF-8 bytes in one buffer instead of a Python object per text."""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal, Protocol

import numpy as np

from ftaug.config.types import Wording
from ftaug.data.names import normalized
from ftaug.data.packed import Packed
from ftaug.data.tables.further_columns import FurtherColumns
from ftaug.errors import BadData
from ftaug.interfaces.data import SplitRows, Task
from ftaug.text.types import Text

Empty = Annotated[Literal["error", "skip"], Wording("error or skip")]
SHOWN = 5


class Names(Protocol):
    """Names of samples, by index."""

    def __getitem__(self, index: int) -> str: ...


@dataclass(frozen=True)
class Lines:
    """Names of table rows: file and line number."""

    file: str
    numbers: np.ndarray  # int64 (n,)

    def __getitem__(self, index: int) -> str:
        return f"{self.file}:{self.numbers[index]}"


@dataclass(frozen=True)
class Paths:
    """Names of files: their paths."""

    root: str
    paths: Packed
    taken: np.ndarray  # int64 (n,): indices into paths

    def __getitem__(self, index: int) -> str:
        return f"{self.root}/{os.fsdecode(self.paths[int(self.taken[index])])}"


@dataclass(frozen=True)
class TextSamples:
    """Dataset of texts or text pairs in memory."""

    parts: tuple[Packed, ...]  # UTF-8 texts; for pairs, first texts and second texts
    names: Names
    targets: np.ndarray
    task: Task
    fingerprint: str
    notes: tuple[str, ...] = ()
    groups: np.ndarray | None = None
    split_rows: SplitRows | None = None
    keys: np.ndarray | None = None  # int64 (n,): equal keys for equal texts
    further_columns: FurtherColumns | None = None  # of the table that lists the samples
    soft_targets: np.ndarray | None = None  # float32 (n, classes)

    def __len__(self) -> int:
        return len(self.parts[0])

    def read(self, index: int) -> Text:
        """Return the text, or the pair."""
        return Text(*(part[index].decode() for part in self.parts))

    def key(self, index: int) -> str:
        """Return a digest of the text or pair, independent of its position in the file."""
        return text_key(*(part[index] for part in self.parts))

    def columns(self) -> Mapping[str, Sequence[str]]:
        """Read the further columns of the table that lists the samples."""
        return {} if self.further_columns is None else self.further_columns.read()

    def name(self, index: int) -> str:
        """Return the file of the text, with the line number in a table."""
        return self.names[index]


def text_key(*texts: bytes) -> str:
    """Digest a text or a pair: 16 hex digits (BLAKE2b)."""
    digest = hashlib.blake2b(digest_size=8)
    for text in texts:
        digest.update(b"%d\0%b" % (len(text), text))
    return digest.hexdigest()


@dataclass
class Collected:
    """Collector of texts, read one by one; blank texts are skipped and counted."""

    width: int  # 1, or 2 for pairs
    empty: list[int] = field(default_factory=list)  # positions of the skipped texts
    places: array[int] = field(
        default_factory=lambda: array("q")
    )  # positions of the texts taken: lines of a table, indices of files
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    hashes: array[int] = field(default_factory=lambda: array("q"))  # hashes of the identities of the texts taken

    def __post_init__(self) -> None:
        self.buffers = [bytearray() for _ in range(self.width)]
        self.ends: list[array[int]] = [array("q") for _ in range(self.width)]

    def take(self, place: int, texts: Sequence[str]) -> bool:
        """Add a text or pair; return False if it is blank. Raises BadData if it is not valid Unicode."""
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
        """The collected texts."""
        both = zip(self.buffers, self.ends, strict=True)
        return tuple(Packed(bytes(buffer), np.array(ends, np.int64)) for buffer, ends in both)

    @property
    def taken(self) -> np.ndarray:
        """Positions of the collected texts: int64 (n,)."""
        return np.array(self.places, np.int64)

    @property
    def keys(self) -> np.ndarray:
        """Duplicate keys, int64 (n,): equal for equal texts."""
        return np.array(self.hashes, np.int64)

    def left_out(self, of: str, names: Sequence[str], empty: Empty) -> tuple[str, ...]:
        """Return a note that names the empty texts; raises BadData if `empty` is error, or all texts are empty."""
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
    """Return the normalized text or pair, by which duplicates are detected."""
    return tuple(map(normalized, texts))


def encoded_as_utf8(text: str) -> bytes:
    """Encode a text as UTF-8; raises BadData for lone surrogates, from a source that was not UTF-8."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        where = f"at its character {error.start + 1}"
        raise BadData(f"the text is not UTF-8 {where}; save the file as UTF-8") from None
