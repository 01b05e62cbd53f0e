"""Index of the samples in shards: their names, places and labels, cached so that the next run need not scan again."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.data.cache_dirs import cache_folder
from ftaug.data.index_file import CLOCK_TICK, WORTH_KEEPING, load, save
from ftaug.data.packed import Packed
from ftaug.data.shards.extents import Extents, Shard
from ftaug.data.shards.labels import Labeled, fingerprint
from ftaug.data.shards.parquet_files import RowGroups
from ftaug.interfaces.data import Task

_VERSION = 1


@dataclass(frozen=True)
class ShardIndex:
    """Names, places and targets of the samples in shards."""

    names: Packed
    extents: Extents
    targets: np.ndarray
    task: Task
    groups: np.ndarray | None
    notes: tuple[str, ...]
    fingerprint: str

    @classmethod
    def of(cls, names: Packed, extents: Extents, labeled: Labeled, notes: Sequence[str] = ()) -> ShardIndex:
        """Return the index of labeled samples."""
        digest = fingerprint(names, extents.sizes, labeled)
        return cls(names, extents, labeled.targets, labeled.task, labeled.groups, (*notes, *labeled.notes), digest)

    def take(self, rows: np.ndarray, fingerprint: str, note: str) -> ShardIndex:
        """Return some of the samples, with a fingerprint of their own and a further note."""
        return replace(
            self,
            names=self.names.take(rows),
            extents=self.extents.take(rows),
            targets=self.targets[rows],
            groups=None if self.groups is None else self.groups[rows],
            notes=(*self.notes, note),
            fingerprint=fingerprint,
        )


def index_or_recall(files: Sequence[Path], settings: Sequence[Any], build: Callable[[], ShardIndex]) -> ShardIndex:
    """Build the index of files, or load it if it is cached for the same settings and no file has changed."""
    key = hashlib.sha256(b"\0".join([*(os.fsencode(file) for file in files), repr(settings).encode()])).hexdigest()
    file = cache_folder() / "index" / f"{key[:32]}.npz"
    cached = _load(file)
    if cached is not None and all(shard.unchanged for shard in cached.extents.shards):
        return cached
    start = time.time_ns()
    index = build()
    modified = max(shard.modified for shard in index.extents.shards)
    if len(index.targets) >= WORTH_KEEPING and modified < start - CLOCK_TICK:
        _save(file, index)
    return index


def _save(file: Path, index: ShardIndex) -> None:
    extents = index.extents
    values = {
        "names": index.names,
        "shards": [[shard.path, shard.size, shard.modified] for shard in extents.shards],
        "shard_of": extents.shard_of,
        "offsets": extents.offsets,
        "sizes": extents.sizes,
        "targets": index.targets,
        "task": {key: value for key, value in asdict(index.task).items() if key != "thresholds"},
        "notes": index.notes,
        "fingerprint": index.fingerprint,
    }
    if isinstance(extents, RowGroups):
        values |= {"row_groups": extents.row_groups, "column": extents.column}
    save(file, _VERSION, values if index.groups is None else {**values, "groups": index.groups})


def _load(file: Path) -> ShardIndex | None:
    values = load(file, _VERSION)
    if values is None:
        return None
    try:
        shards = tuple(Shard(*shard) for shard in values["shards"])
        task = Task(**{**values["task"], "classes": tuple(values["task"]["classes"])})
        extents = Extents(shards, values["shard_of"], values["offsets"], values["sizes"])
        if "row_groups" in values:
            extents = RowGroups(**vars(extents), row_groups=values["row_groups"], column=values["column"])
        rest = (values["targets"], task, values.get("groups"), values["notes"], values["fingerprint"])
        return ShardIndex(values["names"], extents, *rest)
    except (KeyError, TypeError):  # of other fields
        return None


@dataclass(frozen=True)
class StoredSamples:
    """Labeled samples in shards, each read at its offset."""

    index: ShardIndex

    def __len__(self) -> int:
        return len(self.index.targets)

    @property
    def task(self) -> Task:
        """The prediction task."""
        return self.index.task

    @property
    def targets(self) -> np.ndarray:
        """The targets of all samples."""
        return self.index.targets

    @property
    def groups(self) -> np.ndarray | None:
        """Group ids, int64 (n,); None without groups."""
        return self.index.groups

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes for the user."""
        return self.index.notes

    @property
    def fingerprint(self) -> str:
        """Digest of names, sizes and labels."""
        return self.index.fingerprint

    @property
    def keys(self) -> np.ndarray:
        """Hash of each sample's place, int64 (n,): equal for the same place in the same file."""
        return self.index.extents.keys

    @property
    def places(self) -> np.ndarray:
        """Return the shard, or row group, of each sample and its position there: int64 (n, 2)."""
        return self.index.extents.places

    def content(self, index: int) -> bytes:
        """Return the bytes of a sample; raises BadData if its shard has changed, MissingInput and StorageError."""
        return self.index.extents.read(index)

    def key(self, index: int) -> str:
        """Return the sample's name in its shard."""
        return os.fsdecode(self.index.names[index])

    def name(self, index: int) -> str:
        """Name the sample by its shard and its name there."""
        extents = self.index.extents
        return f"{extents.shards[extents.shard_of[index]].path}/{self.key(index)}"
