"""TODO."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor


Streams = Callable[[str], np.random.Generator]
"""From an op ("rotate", or "rotate#1" for its second use) to the random stream of this sample, epoch and op."""

TaskKind = Literal["single_label", "multi_label", "regression"]


class AppliedTransforms(NamedTuple):
    """What a pipeline drew for a sample."""

    values: Mapping[str, Mapping[str, float | str]]  # of each op that fired, by the name of its stream
    labels: tuple[str, ...]  # the classes of the sample after that


@dataclass(frozen=True)
class Task:
    """What is to be told: which of the classes, one per sample or any number of them; or, in regression, numbers."""

    classes: tuple[str, ...]  # in regression the names of the numbers
    multi_label: bool = False
    regression: bool = False
    thresholds: tuple[float, ...] | None = field(default=None, compare=False)  # of labels; None: 1/2 for all

    def present(self, probabilities: np.ndarray) -> np.ndarray:
        """Which of several labels are predicted, of the shape of their probabilities (..., classes)."""
        return np.asarray(probabilities > (0.5 if self.thresholds is None else np.array(self.thresholds)))

    @property
    def kind(self) -> TaskKind:
        """What of the three it is."""
        return "regression" if self.regression else "multi_label" if self.multi_label else "single_label"


class SplitRows(NamedTuple):
    """How many rows of a table each name in its split column has; samples of a table may hold it as `split_rows`."""

    table: str
    column: str
    counts: Mapping[str, int]


class ClassCounts(NamedTuple):
    """How often training visits each class in an epoch, and how many samples it visits."""

    per_class: Tensor  # (classes,); with several labels a sample, the sum may exceed the samples
    samples: int


class MeanLoss(NamedTuple):
    """A loss that is a mean over something other than samples, such as tokens."""

    value: Tensor  # scalar
    items: int  # how many it is the mean of; micro-batches of a step are weighted by it


class Samples(Protocol):
    """Labelled samples in a fixed order; the position of a sample is its id for ever.

    A dataset may also have `key(index)`, which says what identifies a sample wherever the data lie, such as its path
    below the dataset's folder; its name does where there is none.
    """

    @property
    def task(self) -> Task: ...

    @property
    def targets(self) -> np.ndarray:
        """The labels: int64 (n,) class indices; uint8 (n, classes) of 0 and 1 where a sample has any number of them;
        in regression float64 (n, numbers)."""

    @property
    def groups(self) -> np.ndarray | None:
        """The groups that no split parts: int64 (n,)."""

    @property
    def fingerprint(self) -> str:
        """Hex digest of what identifies the data: names, sizes and labels, or the content."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know, such as `3 hidden files ignored`."""

    def __len__(self) -> int: ...

    def read(self, index: int) -> Any:
        """Return the sample as the modality's `prepare` takes it; raises BadData naming the file."""

    def name(self, index: int) -> str:
        """Name the sample for a person: its path, or `digits[12]`."""


class Input(NamedTuple):
    """A sample without a label that a command line names."""

    name: str  # for people: the file, `lines.txt:3`
    read: Callable[[], Any]  # gives it as `prepare` takes it; raises BadData and MissingInput without the name
