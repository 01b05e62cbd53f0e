"""Dataset interface: the prediction task, the samples of a split and their random streams."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor


Streams = Callable[[str], np.random.Generator]
"""Return the random generator of an op ("rotate", or "rotate#1" for its second use) for one sample and epoch."""

TaskKind = Literal["single_label", "multi_label", "regression"]


class AppliedTransforms(NamedTuple):
    """The augmentations applied to a sample: their random values and the labels after them."""

    values: Mapping[str, Mapping[str, float | str]]  # drawn values of each op that fired, keyed by stream name
    labels: tuple[str, ...]  # classes of the sample after the augmentations


@dataclass(frozen=True)
class Task:
    """The prediction task: single-label classification, multi-label classification or regression."""

    classes: tuple[str, ...]  # class names; in regression the names of the target columns
    multi_label: bool = False
    regression: bool = False
    thresholds: tuple[float, ...] | None = field(
        default=None, compare=False
    )  # multi-label decision threshold per class; None: 0.5

    def present(self, probabilities: np.ndarray) -> np.ndarray:
        """Threshold multi-label probabilities: bool (..., classes), the shape of `probabilities`."""
        return np.asarray(probabilities > (0.5 if self.thresholds is None else np.array(self.thresholds)))

    @property
    def kind(self) -> TaskKind:
        """The kind of task: single_label, multi_label or regression."""
        return "regression" if self.regression else "multi_label" if self.multi_label else "single_label"


def rescaled_thresholds(
    thresholds: Sequence[float], scale: Sequence[float], bias: Sequence[float]
) -> tuple[float, ...]:
    """Return the thresholds that decide on sigmoid(scale · logits + bias) as the given ones do on sigmoid(logits)."""
    with np.errstate(divide="ignore"):
        logits = np.log(thresholds) - np.log1p(-np.array(thresholds))
    scaled = logits * np.array(scale) + np.array(bias)
    return tuple(np.exp(-np.logaddexp(0, -scaled)).tolist())


class SplitRows(NamedTuple):
    """Number of rows per value of a table's split column; table datasets may expose it as `split_rows`."""

    table: str
    column: str
    counts: Mapping[str, int]


class ClassCounts(NamedTuple):
    """Number of times an epoch visits each class, and number of samples it visits; the basis of class weights."""

    per_class: Tensor  # (classes,); in multi-label tasks the sum may exceed `samples`
    samples: int


class MeanLoss(NamedTuple):
    """A loss averaged over items other than samples, such as tokens."""

    value: Tensor  # scalar
    items: int  # number of items averaged; the weight of a micro-batch in gradient accumulation


class RunningMeans(Protocol):
    """Means over samples and optimizer steps, which an objective observes."""

    @property
    def values(self) -> Tensor | None:
        """The means before this step: float64 (k,), on the CPU; None before the first."""

    def observe(self, values: Tensor) -> None:
        """Add the values of samples, (n, k), to the means that the next steps see."""


class SemiSupervisedViews(NamedTuple):
    """The views that an objective with unlabeled samples takes, each a batch."""

    labeled: Any  # of the labeled samples, weakly augmented
    weak: Any  # of the unlabeled ones
    strong: Any  # of the same, with the augmentations that vary between views
    means: RunningMeans
    progress: float  # share of the optimizer steps that are done


class Samples(Protocol):
    """A map-style dataset of labeled samples in a fixed order; the index of a sample is its permanent id.

    A dataset may also define `key(index)`: an identifier that does not depend on where the data lie, such as the path
    relative to the dataset's folder. Without it, `name(index)` identifies the sample. `columns()` returns further facts
    about the samples by name, such as the camera: a text for each sample, which `ftaug evaluate` records. `places` says
    which samples are near to one another in storage, for `data.order: shards`: int64 (n, 2), shard and position in it.
    """

    @property
    def task(self) -> Task: ...

    @property
    def targets(self) -> np.ndarray:
        """The targets: int64 (n,) class indices; multi-label uint8 (n, classes) of 0 and 1; regression float64
        (n, numbers)."""

    @property
    def groups(self) -> np.ndarray | None:
        """Group ids for a group-aware split, int64 (n,): samples of a group stay in the same split. None: no groups."""

    @property
    def fingerprint(self) -> str:
        """Hex digest that identifies the data: of names, sizes and labels, or of the content."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes for the user, such as `3 hidden files ignored`."""

    def __len__(self) -> int: ...

    def read(self, index: int) -> Any:
        """Return the raw sample, the input of the modality's `prepare`; raises BadData naming the file."""

    def name(self, index: int) -> str:
        """Return a human-readable name of the sample: its path, or `digits[12]`."""


class Shrink(NamedTuple):
    """How large pictures are made smaller."""

    side: int  # the shorter side in pixels, of those with a longer one
    quality: int  # of JPEG, 1 to 100


class Input(NamedTuple):
    """An unlabeled sample named on the command line, to be predicted."""

    name: str  # human-readable: the file, or `lines.txt:3`
    read: Callable[[], Any]  # return the raw sample for `prepare`; raises BadData and MissingInput without the name
    version: str = ""  # changes with the content
