"""Facts about the samples of a split, such as their brightness or length, computed by the workers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch.utils.data import Dataset

from ftaug.engine.loading.batches import Failure, naming
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.loading.workers import load_items
from ftaug.errors import FtaugError
from ftaug.interfaces.modality import Modality

CHUNK = 64
"""Number of samples of a request to a worker."""
Facts = dict[str, float | str]


def sample_facts(split: DataSplit, verbs: Modality, workers: int) -> dict[str, list[float | str]]:
    """Compute the facts of all samples of a split by name, in order; raises BadSample."""
    requests = (range(start, min(start + CHUNK, len(split))) for start in range(0, len(split), CHUNK))
    rows = list(_rows(load_items(_FactsDataset(split, verbs.sample_facts), requests, workers, collate=_unchanged)))
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def fact_names(split: DataSplit, verbs: Modality) -> list[str]:
    """Return the names of the facts, from the first sample; raises BadSample."""
    return list(_FactsDataset(split, verbs.sample_facts).read(0)) if len(split) else []


@dataclass(frozen=True)
class _FactsDataset(Dataset[Any]):
    """Dataset of the facts of samples, for ranges of positions."""

    split: DataSplit
    compute: Any  # raw sample -> facts

    def __getitem__(self, positions: range) -> list[Facts] | Failure:
        try:
            return [self.read(position) for position in positions]
        except FtaugError as error:
            return Failure(error)

    def read(self, position: int) -> Facts:
        with naming(self.split, position):
            facts: Facts = self.compute(self.split.samples.read(int(self.split.ids[position])))
            return facts


def _rows(items: Iterator[list[Facts] | Failure]) -> Iterator[Facts]:
    for item in items:
        if isinstance(item, Failure):
            raise item.error
        yield from item


def _unchanged(item: Any) -> Any:
    return item
