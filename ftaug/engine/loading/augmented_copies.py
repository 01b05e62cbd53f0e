"""Generate augmented copies of training samples for export, reproducible for any number of workers and processes."""

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
from ftaug.engine.loading.workers import load_items
from ftaug.engine.system.ranks import ALONE, Ranks
from ftaug.errors import FtaugError

CHUNK = 4


class Wanted(NamedTuple):
    """A copy to generate: the sample at a position of the split, augmented as in training epoch `copy`."""

    position: int
    copy: int


class Copy(NamedTuple):
    """A generated copy."""

    wanted: Wanted
    labels: tuple[str, ...]
    values: Mapping[str, Mapping[str, float | str]]  # drawn parameters, by augmentation
    digest: str  # SHA-256 of the copy's identity and content
    cells: Mapping[str, str]  # values of table columns; empty if it has a file
    content: bytes  # of its file; empty if it has none
    suffix: str


class As(Enum):
    """The output that copies are generated for."""

    DIGEST = auto()  # only hashed, to compare them
    FILES = auto()  # written to one file each
    CELLS = auto()  # written to the columns of a table


def numbers(split: DataSplit, copies: int, *, balance: bool) -> np.ndarray:
    """Return the number of copies of each sample: int64 (n,); with `balance` all classes get the same total."""
    if not balance:
        return np.full(len(split), copies)
    result = np.empty(len(split), np.int64)
    goal = copies * int(split.counts().max())
    for code in np.unique(split.targets):
        of_class = np.flatnonzero(split.targets == code)
        share, rest = divmod(goal, len(of_class))
        result[of_class] = share + (np.arange(len(of_class)) < rest)
    return result


def wanted(numbers: np.ndarray) -> Iterator[Wanted]:
    """Iterate all copies to generate, in the order of the digest."""
    for position, count in enumerate(numbers.tolist()):
        for copy in range(count):
            yield Wanted(position, copy)


@dataclass(frozen=True)
class Copies(Dataset[list[Copy | Failure]]):
    """Dataset that generates chunks of copies, in a worker or the main process."""

    prepared: PreparedDataset
    made_as: As

    def __getitem__(self, chunk: list[Wanted]) -> list[Copy | Failure]:
        """Generate the copies of a chunk, up to the first that fails."""
        copies: list[Copy | Failure] = []
        for wanted in chunk:
            try:
                copies.append(self.make(wanted))
            except FtaugError as error:
                return [*copies, Failure(error)]
        return copies

    def make(self, wanted: Wanted) -> Copy:
        """Generate a copy; raises BadSample with the name of the sample."""
        prepared, verbs = self.prepared, self.prepared.verbs
        raw, streams, labels = prepared.read(wanted.position, wanted.copy)
        with naming(prepared.split, wanted.position):
            sample, applied = verbs.augmented(raw, prepared.pipeline, streams, labels)
            identity = f"{prepared.split.ids[wanted.position]} {wanted.copy} ".encode()
            digest = hashlib.sha256(identity + verbs.canonical(sample)).hexdigest()
        cells = verbs.cells(sample) if self.made_as is As.CELLS else {}
        content, suffix = verbs.encode(sample) if self.made_as is As.FILES else (b"", "")
        return Copy(wanted, applied.labels, applied.values, digest, cells, content, suffix)


def make_chunks(
    copies: Copies, wanted: Iterable[Wanted], workers: int, ranks: Ranks = ALONE, start: str | None = None
) -> Iterator[list[Copy | Failure]]:
    """Generate the chunks of this process: each process takes one in turn. A chunk ends with its first failure.

    `start` is the workers' start method, by default fork where it exists.
    """
    dealt = islice(_chunks(wanted), ranks.rank, None, ranks.size)
    return load_items(copies, dealt, workers, start=start, collate=_identity)


def _chunks(wanted: Iterable[Wanted]) -> Iterator[list[Wanted]]:
    rest = iter(wanted)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def _identity(chunk: Any) -> Any:
    return chunk
