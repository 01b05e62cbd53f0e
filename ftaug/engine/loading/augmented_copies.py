"""Augmented copies of training samples, and the digest of all of them: the same however they are made."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from torch.utils.data import Dataset

from ftaug.engine.loading.batches import Failure, PreparedDataset, naming
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.loading.workers import served
from ftaug.errors import FtaugError

CHUNK = 16


class Wanted(NamedTuple):
    """A copy to be made: of the sample at a position of the portion, as training meets it in epoch `copy`."""

    position: int
    copy: int


class Copy(NamedTuple):
    """A copy that was made."""

    wanted: Wanted
    labels: tuple[str, ...]
    values: Mapping[str, Mapping[str, float | str]]  # what was drawn, by the name of the op
    digest: str  # sha256 over which copy it is and what it holds
    cells: Mapping[str, str]  # the sample in the columns of a table; empty where it has a file
    content: bytes  # of its file; empty where it has none
    suffix: str


class As(Enum):
    """What copies are made for."""

    DIGEST = auto()  # to be told apart, and forgotten
    FILES = auto()  # to be written, each to a file of its own
    CELLS = auto()  # to be written to the columns of a table


def numbers(portion: DataSplit, copies: int, *, balance: bool) -> np.ndarray:
    """How many copies each sample gets: int64 (n,); balanced, each class gets as many as the commonest."""
    if not balance:
        return np.full(len(portion), copies)
    result = np.empty(len(portion), np.int64)
    goal = copies * int(portion.counts().max())
    for code in np.unique(portion.targets):
        of_class = np.flatnonzero(portion.targets == code)
        share, rest = divmod(goal, len(of_class))
        result[of_class] = share + (np.arange(len(of_class)) < rest)
    return result


def wanted(numbers: np.ndarray) -> Iterator[Wanted]:
    """All copies, in the order that their digest is taken in."""
    for position, count in enumerate(numbers.tolist()):
        for copy in range(count):
            yield Wanted(position, copy)


@dataclass(frozen=True)
class Copies(Dataset[list[Copy | Failure]]):
    """Answers requests for copies in whichever process it lives."""

    prepared: PreparedDataset
    made_as: As

    def __getitem__(self, chunk: list[Wanted]) -> list[Copy | Failure]:
        """Make the copies of a chunk, up to the first that fails."""
        made: list[Copy | Failure] = []
        for one in chunk:
            try:
                made.append(self.make(one))
            except FtaugError as error:
                return [*made, Failure(error)]
        return made

    def make(self, wanted: Wanted) -> Copy:
        """Make a copy; raises BadData naming the sample."""
        prepared, verbs = self.prepared, self.prepared.verbs
        raw, streams, labels = prepared.read(wanted.position, wanted.copy)
        with naming(prepared.portion, wanted.position):
            sample, account = verbs.augmented(raw, prepared.pipeline, streams, labels)
            identity = f"{prepared.portion.ids[wanted.position]} {wanted.copy} ".encode()
            digest = hashlib.sha256(identity + verbs.canonical(sample)).hexdigest()
        cells = verbs.cells(sample) if self.made_as is As.CELLS else {}
        content, suffix = verbs.encode(sample) if self.made_as is As.FILES else (b"", "")
        return Copy(wanted, account.labels, account.values, digest, cells, content, suffix)


def make(copies: Copies, wanted: Iterable[Wanted], workers: int, start: str | None = None) -> Iterator[Copy]:
    """Make copies in their order; `start` says how workers start: by fork, where there is that, unless set."""
    for chunk in served(copies, _chunks(wanted), workers, start=start, collate=_as_it_is):
        for made in chunk:
            if isinstance(made, Failure):
                raise made.error
            yield made


def _chunks(wanted: Iterable[Wanted]) -> Iterator[list[Wanted]]:
    rest = iter(wanted)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def _as_it_is(chunk: Any) -> Any:
    return chunk
