"""Modality interface: functions that prepare, collate and describe samples of a data type, such as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from ftaug.interfaces.data import AppliedTransforms, Input, Samples, Shrink, Streams, Task
from ftaug.interfaces.document import HighlightedText, Picture
from ftaug.interfaces.explanation import Explain, Explanation
from ftaug.interfaces.export import ExportSignature, Reading
from ftaug.interfaces.preview import Show

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ftaug.config.registry import Component


class Corruption(NamedTuple):
    """A corruption of samples by which robustness is measured, at increasing levels."""

    name: str
    category: str  # such as noise
    levels: tuple[Component, ...]  # the augmentation of each level
    similar: tuple[str, ...] = ()  # augmentations that train on something similar
    is_extra: bool = False  # left out of the mean of the others


class Corruptions(NamedTuple):
    """The corruptions of a modality, with notes for the user about them."""

    members: Sequence[Corruption]
    notes: Sequence[str] = ()


class Modality(Protocol):
    """Functions of a modality, implemented by its module `samples`."""

    preview: Show
    explanation: Explain
    on_device: bool  # whether it augments on the device, by `plan`, `collate_plans` and `finished`
    cache_version: str  # version of the cache format

    def inputs(self, named: Sequence[str], train: Component) -> Iterator[Input]:
        """Yield the samples named on the command line, read as the training dataset reads its files.

        Raises MissingInput, BadData and ExperimentError for invalid names before yielding the first sample.
        """

    def parts(self, inputs: Iterator[Input], seconds: float) -> Iterator[Input]:
        """Divide samples named on the command line into parts of so many seconds.

        Raises ExperimentError where samples have no duration.
        """

    def as_raw(self, value: Any, train: Component) -> Any:
        """Return the raw sample of a Python value, such as an array of pixels or a text; raises BadData."""

    def pipeline(self, augment: Sequence[Component], preprocessing: Mapping[str, Any]) -> Any:
        """Build the pipeline from a raw sample to the model's input; without augmentations, the evaluation pipeline."""

    def prepare(
        self, raw: Any, pipeline: Any, streams: Streams | None, labels: tuple[str, ...] = ()
    ) -> tuple[np.ndarray, AppliedTransforms]:
        """Apply the pipeline to a raw sample from `Samples.read`; return the model's input and what was applied.

        Raises BadData (without the name of the sample).

        Some ops skip certain classes: in training they receive the sample's `labels`.
        """

    def draw(
        self, raw: Any, pipeline: Any, streams: Streams | None, labels: tuple[str, ...] = ()
    ) -> tuple[Callable[[], np.ndarray], AppliedTransforms]:
        """Do the part of `prepare` that draws; return a function that does the rest, once, and what is applied.

        Loading draws several samples before it applies their augmentations: in turns with the work on the values,
        which overwrites the CPU's caches, drawing takes twice the time. Both parts raise BadData.
        """

    def plan(
        self, raw: Any, pipeline: Any, streams: Streams, labels: tuple[str, ...] = ()
    ) -> tuple[Callable[[], Any], AppliedTransforms]:
        """Draw as `draw` does; return a function for the CPU's part of the rest, which ends on the model's device."""

    def collate_plans(self, plans: Sequence[Any]) -> Any:
        """Collate plans into a NamedTuple of tensors and plain numbers."""

    def finished(self, inputs: Any) -> Tensor:
        """Render collated plans on their device: equal to the batch of `collate` up to rounding."""

    def cached(self, samples: Samples, folder: Path, must_keep: bool) -> Samples:
        """Cache decoded samples in a folder, so that the costly part of reading runs once.

        `prepare` returns bit-identical results. If the folder is full and `must_keep` is set, it is an error.
        """

    def sizes(self, samples: Samples, ids: np.ndarray, pipeline: Any) -> np.ndarray | None:
        """Size of each sample for length-grouped batching, int64 (n,); None if all are equal."""

    def cautions(self, samples: Samples, ids: np.ndarray, sizes: np.ndarray | None, pipeline: Any) -> list[str]:
        """Human-readable cautions about data that the model will not see, such as truncated texts."""

    def footprint(self, raw: Any, pipeline: Any, all_streams: Sequence[Streams | None]) -> int:
        """Bytes that the cache needs for a sample with these random streams; 0 if caching has no benefit."""

    def relabels(self, pipeline: Any) -> bool:
        """Whether the pipeline may change the labels, such as a flip that turns a left arrow into a right one."""

    def label_cautions(self, augment: Sequence[Component], task: Task) -> list[str]:
        """Human-readable cautions about augmentations that may change labels, judged by the class names.

        Raises ExperimentError if a setting names an unknown class.
        """

    def check_pipeline(self, pipeline: Any) -> None:
        """Raise ExperimentError if the output shape of a training pipeline differs from the model's input shape."""

    def augmented(
        self, raw: Any, pipeline: Any, streams: Streams | None, labels: tuple[str, ...]
    ) -> tuple[Any, AppliedTransforms]:
        """Return the augmented sample in storable form, and the augmentations applied; raises BadData."""

    def as_seen(self, raw: Any, pipeline: Any, streams: Streams | None, labels: tuple[str, ...]) -> Any:
        """Return the augmented sample as the sheets of `data_health` draw it; raises BadData."""

    def corruptions(self, preprocessing: Mapping[str, Any]) -> Corruptions:
        """Return the corruptions by which robustness is measured."""

    def corrupting_pipeline(self, augment: Sequence[Component], preprocessing: Mapping[str, Any]) -> Any:
        """Build the pipeline of evaluation that, given random streams, corrupts each sample by augmentations."""

    def sample_facts(self, raw: Any) -> Mapping[str, float | str]:
        """Compute facts about a raw sample, such as its brightness or length, by which results are broken down.

        Raises BadData.
        """

    def report_item(self, raw: Any, caption: str) -> Picture | HighlightedText:
        """Return a raw sample as content of a report; raises BadData."""

    def explained_item(
        self, explanation: Explanation, preprocessing: Mapping[str, Any], caption: str
    ) -> Picture | HighlightedText:
        """Return a sample with its explanation as content of a report."""

    def canonical(self, sample: Any) -> bytes:
        """Return a canonical byte representation: equal if and only if two samples are equal; raises BadData."""

    def cells(self, sample: Any) -> Mapping[str, str]:
        """Return the sample as table cells, keyed by column; empty if it must be stored as a file."""

    def encode(self, sample: Any) -> tuple[bytes, str]:
        """Encode the sample losslessly: the content of a file that reads back as the same sample, and its suffix."""

    def packed_file(self, samples: Samples, index: int, shrink: Shrink | None) -> tuple[bytes, str]:
        """Return the content of a sample's file and its suffix, for an archive of files.

        Raises BadData, and ExperimentError if the samples cannot be files or cannot be made smaller.
        """

    def collate(self, prepared: Sequence[np.ndarray]) -> Tensor:
        """Collate prepared samples into a batch of the smallest dtype (images: uint8)."""

    def concatenated(self, batches: Sequence[Any]) -> Any:
        """Concatenate batches that are on the device."""

    def selected(self, inputs: Any, rows: Any) -> Any:
        """Select rows of a batch, mixed or not, packed as `collate` would pack them; `rows` is a slice or an index."""

    def sizes_in(self, inputs: Any) -> np.ndarray | None:
        """Return the `sizes` of the samples in a batch, mixed or not."""

    def normalizer(self, preprocessing: Mapping[str, Any]) -> nn.Module:
        """Return the module that normalizes a collated batch, on its device, into the network's input."""

    def translator(self, given: Mapping[str, Any], wanted: Mapping[str, Any]) -> nn.Module:
        """Return a `normalizer` that converts batches prepared for one network (`given`) for another (`wanted`).

        Raises ExperimentError, its message a predicate, if the conversion is impossible.
        """

    def export_signature(
        self, model: nn.Module, preprocessing: Mapping[str, Any], activate: Callable[[nn.Module], nn.Module]
    ) -> ExportSignature:
        """Return the signature of the exported model: named inputs, dynamic axes and preprocessing.

        The model maps a collated batch to logits; `activate` returns one that gives all outputs of an export.
        """

    def synthetic(self, preprocessing: Mapping[str, Any]) -> Sequence[Any]:
        """Return deterministic synthetic raw samples of several sizes, to compare an export with the model."""

    def reading(self, preprocessing: Mapping[str, Any], train: Component) -> Reading:
        """Return how an inference script reads samples as the training dataset does."""

    def described(self, preprocessing: Mapping[str, Any]) -> str:
        """Describe the preprocessing in one line."""


class RequestedModel(NamedTuple):
    """The backbone and weights requested on the command line of `ftaug init`."""

    backbone: str | None = None
    weights: str | None = None


class InitConfig(Protocol):
    """Experiment file generation of a modality (`ftaug init`), implemented by its module `init_config`; no torch."""

    def samples_in(self, path: Path) -> int:
        """Count samples of the modality at a path: files of a folder or rows of a table (texts: 1 a table); 0: none."""

    def experiment(self, path: Path, target: Path, requested: RequestedModel) -> str:
        """Return the text of an experiment file to be written to `target`.

        Raises BadData, ExperimentError, MissingInput.
        """
