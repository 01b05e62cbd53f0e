"""Read every sample once, in worker processes and without torch, and keep a small sketch of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple, cast

import numpy as np

from ftaug.config.experiment import Experiment
from ftaug.data.row_file import RowFile
from ftaug.engine.loading.split import DataSplit
from ftaug.errors import BadData, MissingInput
from ftaug.interfaces.data_health import DataHealth, Sketch
from ftaug.runs.doctor.parallel import parallel, worker_count
from ftaug.runs.report.progress_bar import ProgressBar


class SampleRef(NamedTuple):
    """A sample: its split, and its position there."""

    split: DataSplit
    position: int

    @property
    def sample_id(self) -> int:
        """The index in the dataset."""
        return int(self.split.ids[self.position])

    @property
    def name(self) -> str:
        """The human-readable name."""
        return self.split.samples.name(self.sample_id)

    @property
    def label(self) -> str:
        """The human-readable label."""
        return self.split.describe(self.position)

    @property
    def target(self) -> np.ndarray:
        """The target, as in `DataSplit.targets`."""
        return np.asarray(self.split.targets[self.position])

    def read(self) -> Any:
        """Read the raw sample."""
        return self.split.samples.read(self.sample_id)


class Unreadable(NamedTuple):
    """A sample that cannot be read, and why."""

    sample: SampleRef
    reason: str


@dataclass(frozen=True)
class Scan:
    """The readable samples of all splits: a row for each, in the order train, val, test."""

    splits: Mapping[str, DataSplit]
    split_index: np.ndarray  # int8 (n,): index into the splits
    positions: np.ndarray  # int64 (n,): position in the split
    digests: np.ndarray  # S16 (n,)
    values: RowFile  # uint8 (n, sketch_size)
    facts: Mapping[str, np.ndarray]  # float32 (n,) by name
    unreadable: Sequence[Unreadable]

    def __len__(self) -> int:
        return len(self.positions)

    def sample(self, row: int) -> SampleRef:
        """Return the sample of a row."""
        return SampleRef([*self.splits.values()][self.split_index[row]], int(self.positions[row]))

    def rows(self, purpose: str) -> np.ndarray:
        """Return the rows of a split: int64 (m,)."""
        return np.flatnonzero(self.split_index == [*self.splits].index(purpose))

    def targets(self, rows: np.ndarray) -> np.ndarray:
        """Return the targets of rows, which must be of one split after the other."""
        parts = [
            split.targets[self.positions[rows[self.split_index[rows] == number]]]
            for number, split in enumerate(self.splits.values())
        ]
        return np.concatenate(parts)

    def readable(self, purpose: str) -> DataSplit:
        """Return a split without its unreadable samples: those of `rows(purpose)`."""
        bad = [each.sample.position for each in self.unreadable if each.sample.split.purpose == purpose]
        return self.splits[purpose].without(bad)


@dataclass(frozen=True)
class _Sketcher:
    """Compute the sketch of a sample by its number, or its error."""

    splits: Sequence[DataSplit]
    split_index: np.ndarray
    positions: np.ndarray
    modality: str

    def sample(self, number: int) -> SampleRef:
        return SampleRef(self.splits[self.split_index[number]], int(self.positions[number]))

    def __call__(self, number: int) -> Sketch | str:
        try:
            return data_health(self.modality).sketch(self.sample(number).read())
        except (BadData, MissingInput) as error:
            return str(error)


def data_health(modality: str) -> DataHealth:
    """Import the data health functions of a modality."""
    return cast(DataHealth, import_module(f"ftaug.{modality}.data_health"))


def scan(experiment: Experiment, splits: Mapping[str, DataSplit]) -> Scan:
    """Read every sample of the splits once."""
    splits = {purpose: splits[purpose] for purpose in ("train", "val", "test") if purpose in splits}
    health = data_health(experiment.modality)
    total = sum(map(len, splits.values()))
    split_index = np.repeat(np.arange(len(splits), dtype=np.int8), [len(split) for split in splits.values()])
    positions = np.concatenate([np.arange(len(split)) for split in splits.values()])
    sketcher = _Sketcher([*splits.values()], split_index, positions, experiment.modality)
    digests, facts = np.zeros(total, "S16"), np.zeros((total, len(health.fact_names)), np.float32)
    values, is_readable = RowFile(health.sketch_size), np.zeros(total, bool)
    unreadable: list[Unreadable] = []
    with ProgressBar(total, 0, unit=health.noun) as progress_bar:
        for number, sketch in enumerate(parallel(sketcher, total, worker_count(experiment))):
            progress_bar.advance()
            progress_bar.status()
            if isinstance(sketch, str):
                unreadable.append(Unreadable(sketcher.sample(number), sketch))
            else:
                is_readable[number] = True
                digests[number], facts[number] = sketch.digest, sketch.facts
                values.append(sketch.values)
    by_name = dict(zip(health.fact_names, facts[is_readable].T, strict=True))
    return Scan(
        splits,
        split_index[is_readable],
        positions[is_readable],
        digests[is_readable],
        values.finish(),
        by_name,
        unreadable,
    )
