"""What modalities, components and the engine hand one another. Knows neither torch nor any modality."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from ftaug.interfaces.data import AppliedTransforms, Input, Samples, Streams, Task
from ftaug.interfaces.export import ExportSignature, Reading
from ftaug.interfaces.preview import Show

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ftaug.config.registry import Component


class Modality(Protocol):
    """The verbs of a modality, as the functions of its module `samples`."""

    preview: Show
    on_device: bool  # whether it has `plan`, `collate_plans` and `finished`
    cache_version: str  # what is in a cache is of this version

    def inputs(self, named: Sequence[str], train: Component) -> Iterator[Input]:
        """The samples that a command line names, read as the dataset trained on reads its own.

        Raises MissingInput, BadData and ExperimentError for what is named wrongly before it yields the first.
        """

    def pipeline(self, augment: Sequence[Component], preprocessing: Mapping[str, Any]) -> Any:
        """Make the way from a raw sample to the model's input; without augmentations it is the one for evaluation."""

    def prepare(self, raw: Any, pipeline: Any, streams: Streams | None, labels: tuple[str, ...] = ()) -> np.ndarray:
        """Apply the pipeline to what `Samples.read` returned; raises BadData (without the name of the sample).

        Some ops leave some classes alone: in training they are told the sample's `labels`.
        """

    def plan(self, raw: Any, pipeline: Any, streams: Streams, labels: tuple[str, ...] = ()) -> Any:
        """Do the part of `prepare` that cannot be done on the network's device."""

    def collate_plans(self, plans: Sequence[Any]) -> Any:
        """Pack plans into a NamedTuple of tensors and plain numbers."""

    def finished(self, inputs: Any) -> Tensor:
        """Do the rest on the device where its tensors are: what `collate` would have given, but for rounding."""

    def account(self, raw: Any, pipeline: Any, streams: Streams | None, labels: tuple[str, ...]) -> AppliedTransforms:
        """Say what `prepare` draws for a sample."""

    def cached(self, samples: Samples, folder: Path, must_keep: bool) -> Samples:
        """The same samples, the costly part of reading them done once and kept in a folder.

        `prepare` returns the same bits for them. Where the folder is full it is an error if they must be kept.
        """

    def sizes(self, samples: Samples, ids: np.ndarray, pipeline: Any) -> np.ndarray | None:
        """How much work each sample is, int64 (n,); None where all are alike. Those alike are batched together."""

    def cautions(self, samples: Samples, ids: np.ndarray, sizes: np.ndarray | None, pipeline: Any) -> list[str]:
        """What of the samples the model will not see: sentences for a person."""

    def footprint(self, raw: Any, pipeline: Any, all_streams: Sequence[Streams | None]) -> int:
        """The bytes that such a folder holds of a sample after these draws; 0 where nothing is gained."""

    def relabels(self, pipeline: Any) -> bool:
        """Whether the pipeline may change a sample's classes, as a flip does that makes a left arrow a right one."""

    def hazards(self, augment: Sequence[Component], task: Task) -> list[str]:
        """What the augmentations may do to the labels, by the look of the classes' names: sentences for a person.

        Raises ExperimentError where a setting names a class that is not there.
        """

    def check_pipeline(self, pipeline: Any) -> None:
        """Raise ExperimentError where a pipeline for training ends in other shapes than the model takes."""

    def augmented(
        self, raw: Any, pipeline: Any, streams: Streams | None, labels: tuple[str, ...]
    ) -> tuple[Any, AppliedTransforms]:
        """The sample after the augmentations, as it can be stored, and what they drew; raises BadData."""

    def canonical(self, sample: Any) -> bytes:
        """What such samples have in common exactly where they are the same; raises BadData."""

    def cells(self, sample: Any) -> Mapping[str, str]:
        """The sample in the columns of a table, by their names; empty where it needs a file of its own."""

    def encode(self, sample: Any) -> tuple[bytes, str]:
        """Return the content of a file that reads as exactly this sample, and its suffix."""

    def collate(self, prepared: Sequence[np.ndarray]) -> Tensor:
        """Stack prepared samples into a batch, still in the cheapest type (pictures: uint8)."""

    def concatenated(self, batches: Sequence[Any]) -> Any:
        """Join batches that are on the device into one."""

    def selected(self, inputs: Any, rows: Any) -> Any:
        """Some rows of a batch, mixed or not, as `collate` would have packed them; `rows` is a slice or an index."""

    def sizes_in(self, inputs: Any) -> np.ndarray | None:
        """The `sizes` of the samples in a batch, mixed or not."""

    def normaliser(self, preprocessing: Mapping[str, Any]) -> nn.Module:
        """The module that turns a batch on its device into what the network expects."""

    def translator(self, given: Mapping[str, Any], wanted: Mapping[str, Any]) -> nn.Module:
        """The `normaliser` of a network for batches that were prepared for another, by what each prepares.

        Raises ExperimentError, in a predicate, where nothing can make the one of the other.
        """

    def facing(self, model: nn.Module, preprocessing: Mapping[str, Any]) -> ExportSignature:
        """The model as programs elsewhere call it."""

    def synthetic(self, preprocessing: Mapping[str, Any]) -> Sequence[Any]:
        """Samples of several sizes that are always the same, as a dataset reads them."""

    def reading(self, preprocessing: Mapping[str, Any], train: Component) -> Reading:
        """How programs elsewhere read samples as the dataset trained on reads its own."""

    def described(self, preprocessing: Mapping[str, Any]) -> str:
        """How a sample becomes the model's input, in a line."""


class RequestedModel(NamedTuple):
    """What a command line says of the network of a first experiment file."""

    backbone: str | None = None
    weights: str | None = None


class Starting(Protocol):
    """A modality's first experiment files, as the functions of its module `starting`; without torch."""

    def samples_in(self, path: Path) -> int:
        """How many samples of the modality there are at a path, files of a folder or rows of a table; 0 for none."""

    def experiment(self, path: Path, target: Path, requested: RequestedModel) -> str:
        """The text of an experiment file, to be written to `target`; raises BadData, ExperimentError, MissingInput."""
