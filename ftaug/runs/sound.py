"""Whether every sample can be read, and none is where it should not be, before a run is hours on its way."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

from ftaug.config.experiment import Experiment
from ftaug.engine.batches import Failure, answers, once
from ftaug.engine.portion import Portion
from ftaug.engine.setup import prepared
from ftaug.engine.workers import processes
from ftaug.errors import BadData, Problem
from ftaug.runs.ticker import Ticker

if TYPE_CHECKING:
    from torch import Tensor


def read_all(experiment: Experiment, data: Mapping[str, Portion], preprocessing: Mapping[str, Any]) -> list[str]:
    """Prepare every sample once as evaluation does; say which are also where they should not be.

    Raises BadData naming all samples that cannot be read.
    """
    total = sum(map(len, data.values()))
    problems: list[Problem] = []
    met, workers = Met(), processes(experiment.data.workers)
    with Ticker(total, 0, unit="sample") as ticker:
        for purpose, portion in data.items():
            source = prepared(experiment, portion, (), preprocessing)
            for position, answer in enumerate(answers(source, once(len(portion), 1), workers, pin=False)):
                if isinstance(answer, Failure):
                    problems += answer.error.problems
                else:
                    met.add(answer.inputs, portion, position)
                ticker.tick()
                ticker.status(purpose)
        if problems:
            raise BadData(*problems, f"{len(problems):,} of {total:,} samples cannot be read; mend or remove them")
        ticker.line(f"read all {total:,} samples")
    return list(met.told())


class Spot(NamedTuple):
    """Where a sample is."""

    purpose: str
    label: str
    name: str


@dataclass
class Met:
    """What the model is given for the samples so far, and which are given again where they should not be."""

    first: dict[bytes, tuple[Portion, int]] = field(default_factory=dict)
    again: dict[tuple[str, str, bool], list[tuple[Spot, Spot]]] = field(default_factory=dict)

    def add(self, inputs: "Tensor", portion: Portion, position: int) -> None:
        """Remember a sample; the same in another portion, or with another label, is kept as a pair."""
        digest = blake2b(inputs.contiguous().numpy().tobytes(), digest_size=16).digest()
        here = (portion, position)
        earlier = self.first.setdefault(digest, here)
        if earlier is here:
            return
        one, other = _spot(portion, position), _spot(*earlier)
        if one[:2] != other[:2]:
            self.again.setdefault((one.purpose, other.purpose, one.label != other.label), []).append((one, other))

    def told(self) -> Iterator[str]:
        """A line for each kind of repetition, with an example."""
        for (purpose, other, relabelled), pairs in self.again.items():
            where = "there twice" if purpose == other else f"in {other} too"
            how = " with another label" if relabelled else ""
            of = [f"{spot.name} ({spot.label})" if relabelled else spot.name for spot in pairs[0]]
            many = "1 sample is" if len(pairs) == 1 else f"{len(pairs):,} samples are"
            yield f"{purpose}: {many} {where}{how}, such as {of[0]}, which is {of[1]}"


def _spot(portion: Portion, position: int) -> Spot:
    name = portion.samples.name(int(portion.ids[position]))
    return Spot(portion.purpose, portion.told(position), name)
