"""Whether every sample can be read, and none is where it should not be, before a run is hours on its way."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

from ftaug.config.experiment import Experiment
from ftaug.engine.loading.batches import Batch, Failure, iterate_batches, once
from ftaug.engine.loading.prepare import prepared
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.loading.workers import processes
from ftaug.errors import BadSample
from ftaug.runs.report.progress_bar import Ticker

if TYPE_CHECKING:
    from torch import Tensor


def read_each(
    experiment: Experiment, data: Mapping[str, DataSplit], preprocessing: Mapping[str, Any]
) -> Iterator[tuple[DataSplit, int, Batch | Failure]]:
    """Prepare every sample once as evaluation does, in the data workers: its split, its position there, the result."""
    total, failures = sum(map(len, data.values())), 0
    workers = processes(experiment.data.workers)
    with Ticker(total, 0, unit="sample") as ticker:
        for purpose, portion in data.items():
            source = prepared(experiment, portion, (), preprocessing)
            for position, result in enumerate(iterate_batches(source, once(len(portion), 1), workers, pin=False)):
                yield portion, position, result
                failures += isinstance(result, Failure)
                ticker.tick()
                ticker.status(purpose)
        ticker.line(f"read all {total:,} samples" + (f": {failures:,} cannot be read" if failures else ""))


class Unreadable(NamedTuple):
    """A sample that cannot be read."""

    split: str
    position: int
    name: str
    error: BadSample


def unreadable(portion: DataSplit, position: int, failure: Failure) -> Unreadable:
    """Describe a sample that cannot be read; raises any other error, such as one of the disk."""
    if not isinstance(failure.error, BadSample):
        raise failure.error
    return Unreadable(portion.purpose, position, portion.samples.name(int(portion.ids[position])), failure.error)


def read_all(
    experiment: Experiment, data: Mapping[str, DataSplit], preprocessing: Mapping[str, Any]
) -> tuple[list[Unreadable], list[str]]:
    """The samples that cannot be read, and a line for each kind of sample that is where it should not be."""
    met, found = DuplicateFinder(), []
    for portion, position, result in read_each(experiment, data, preprocessing):
        if isinstance(result, Failure):
            found.append(unreadable(portion, position, result))
        else:
            met.add(result.inputs, portion, position)
    return found, list(met.describe())


class SampleRef(NamedTuple):
    """Where a sample is."""

    purpose: str
    label: str
    name: str


@dataclass
class DuplicateFinder:
    """What the model is given for the samples so far, and which are given again where they should not be."""

    first: dict[bytes, tuple[DataSplit, int]] = field(default_factory=dict)
    again: dict[tuple[str, str, bool], list[tuple[SampleRef, SampleRef]]] = field(default_factory=dict)

    def add(self, inputs: "Tensor", portion: DataSplit, position: int) -> None:
        """Remember a sample; the same in another portion, or with another label, is kept as a pair."""
        digest = blake2b(inputs.contiguous().numpy().tobytes(), digest_size=16).digest()
        here = (portion, position)
        earlier = self.first.setdefault(digest, here)
        if earlier is here:
            return
        one, other = _spot(portion, position), _spot(*earlier)
        if one[:2] != other[:2]:
            self.again.setdefault((one.purpose, other.purpose, one.label != other.label), []).append((one, other))

    def describe(self) -> Iterator[str]:
        """A line for each kind of repetition, with an example."""
        for (purpose, other, relabelled), pairs in self.again.items():
            where = "there twice" if purpose == other else f"in {other} too"
            how = " with another label" if relabelled else ""
            of = [f"{spot.name} ({spot.label})" if relabelled else spot.name for spot in pairs[0]]
            many = "1 sample is" if len(pairs) == 1 else f"{len(pairs):,} samples are"
            yield f"{purpose}: {many} {where}{how}, such as {of[0]}, which is {of[1]}"


def _spot(portion: DataSplit, position: int) -> SampleRef:
    name = portion.samples.name(int(portion.ids[position]))
    return SampleRef(portion.purpose, portion.describe(position), name)
