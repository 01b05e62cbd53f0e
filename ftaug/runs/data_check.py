"""Check that every sample can be read, and find duplicates across splits and labels."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

from ftaug.config.experiment import Experiment
from ftaug.engine.loading.batches import Batch, Failure, iterate_batches, once
from ftaug.engine.loading.prepare import prepare_split
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.loading.workers import processes
from ftaug.errors import BadSample
from ftaug.runs.report.progress_bar import ProgressBar

if TYPE_CHECKING:
    from torch import Tensor


def read_each(
    experiment: Experiment, data: Mapping[str, DataSplit], preprocessing: Mapping[str, Any]
) -> Iterator[tuple[DataSplit, int, Batch | Failure]]:
    """Preprocess every sample once as in evaluation, in data workers; yield split, position and batch or failure."""
    total, failures = sum(map(len, data.values())), 0
    workers = processes(experiment.data.workers)
    with ProgressBar(total, 0, unit="sample") as progress_bar:
        for purpose, split in data.items():
            source = prepare_split(experiment, split, (), preprocessing)
            for position, result in enumerate(iterate_batches(source, once(len(split), 1), workers, pin=False)):
                yield split, position, result
                failures += isinstance(result, Failure)
                progress_bar.advance()
                progress_bar.status(purpose)
        progress_bar.line(f"read all {total:,} samples" + (f": {failures:,} cannot be read" if failures else ""))


class Unreadable(NamedTuple):
    """A sample that cannot be read."""

    split: str
    position: int
    name: str
    error: BadSample


def unreadable(split: DataSplit, position: int, failure: Failure) -> Unreadable:
    """Describe a sample that cannot be read; raises any other error, such as one of the disk."""
    if not isinstance(failure.error, BadSample):
        raise failure.error
    return Unreadable(split.purpose, position, split.samples.name(int(split.ids[position])), failure.error)


def read_all(
    experiment: Experiment, data: Mapping[str, DataSplit], preprocessing: Mapping[str, Any]
) -> tuple[list[Unreadable], list[str]]:
    """Read all samples; return the unreadable ones and a message per kind of duplicate."""
    duplicates, failed = DuplicateFinder(), []
    for split, position, result in read_each(experiment, data, preprocessing):
        if isinstance(result, Failure):
            failed.append(unreadable(split, position, result))
        else:
            duplicates.add(result.inputs, split, position)
    return failed, list(duplicates.describe())


class SampleRef(NamedTuple):
    """Split, label and name of a sample."""

    purpose: str
    label: str
    name: str


@dataclass
class DuplicateFinder:
    """Find samples whose model input occurs in several splits or with several labels, by hash."""

    first: dict[bytes, tuple[DataSplit, int]] = field(default_factory=dict)
    again: dict[tuple[str, str, bool], list[tuple[SampleRef, SampleRef]]] = field(default_factory=dict)

    def add(self, inputs: "Tensor", split: DataSplit, position: int) -> None:
        """Add a sample; record a pair if the same input was seen in another split or with another label."""
        digest = blake2b(inputs.contiguous().numpy().tobytes(), digest_size=16).digest()
        here = (split, position)
        earlier = self.first.setdefault(digest, here)
        if earlier is here:
            return
        new, old = _reference(split, position), _reference(*earlier)
        if new[:2] != old[:2]:
            self.again.setdefault((new.purpose, old.purpose, new.label != old.label), []).append((new, old))

    def describe(self) -> Iterator[str]:
        """Yield a message for each kind of duplicate, with an example."""
        for (purpose, other, relabeled), pairs in self.again.items():
            where = "there twice" if purpose == other else f"in {other} too"
            how = " with another label" if relabeled else ""
            examples = [f"{sample.name} ({sample.label})" if relabeled else sample.name for sample in pairs[0]]
            many = "1 sample is" if len(pairs) == 1 else f"{len(pairs):,} samples are"
            yield f"{purpose}: {many} {where}{how}, such as {examples[0]}, which is {examples[1]}"


def _reference(split: DataSplit, position: int) -> SampleRef:
    name = split.samples.name(int(split.ids[position]))
    return SampleRef(split.purpose, split.describe(position), name)
