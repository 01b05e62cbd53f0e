"""What modalities, components and the engine hand one another. Knows neither torch nor any modality."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ftaug.config.registry import Component

Streams = Callable[[str], np.random.Generator]
"""From an op ("rotate", or "rotate#1" for its second use) to the random stream of this sample, epoch and op."""


TaskKind = Literal["single_label", "multi_label", "regression"]


class Account(NamedTuple):
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


class Horizon(NamedTuple):
    """How long a run is, in optimizer steps, and how its evaluations went so far."""

    total_steps: int
    epoch_steps: int
    scores: tuple[float, ...] = ()  # the best-metric of each evaluation, turned so that higher is better


def improvements(scores: Iterable[float], min_delta: float) -> list[bool]:
    """Whether each score rose more than `min_delta` above the last that did; one that is not finite never does."""
    best, risen = -math.inf, []
    for score in scores:
        risen.append(math.isfinite(score) and score > best + min_delta)
        best = score if risen[-1] else best
    return risen


@dataclass(frozen=True)
class Stage:
    """A part of a backbone, from stem to head: every parameter belongs to exactly one."""

    name: str
    modules: tuple[str, ...]  # dotted names of modules or parameters below the network
    with_head: bool = False  # behind the last block, such as a norm: `last` and `layer_decay` count it with the head

    def holds(self, name: str) -> bool:
        """Whether a module or parameter lies in it."""
        return any(name == module or name.startswith(f"{module}.") for module in self.modules)


class CannotCut(Exception):
    """Says why a network cannot be cut in two."""


class Divisible(Protocol):
    """A network that parts itself, where what it does cannot be followed from outside."""

    def halves(self, learning: Collection[str]) -> tuple[nn.Module, nn.Module]:
        """What these parameters have no part in, from the input on, and the rest; raises CannotCut.

        One tensor leads over, of one size for every sample. Both share the network's modules.
        """


class Origin(NamedTuple):
    """What a network is built from beside its weights, where that lies in a folder that a setting names."""

    setting: str
    write: Callable[[Path], None]  # write such a folder, without weights


class Construction(NamedTuple):
    """Python source that builds a network without this package, for the script beside an export."""

    imports: tuple[str, ...]  # lines
    packages: tuple[str, ...]  # what to install for them
    code: str  # sets `network`; its state dict has the names of the network's own


@dataclass
class Backbone:
    """A network for the task's classes, not yet loaded with its pretrained weights."""

    network: nn.Module  # from a collated batch, normalised, to logits (batch, classes)
    stages: tuple[Stage, ...]  # from stem to head
    preprocessing: Mapping[str, Any]  # plain JSON values that the modality's verbs understand
    load_pretrained: Callable[[], None]  # fills the network; may download; raises MissingInput, BadData
    facts: Mapping[str, Any] = field(default_factory=dict)  # for people: where the weights come from, what `auto` chose
    save: Callable[[Path], None] | None = None  # write the network as its own library does, into a folder
    origin: Origin | None = None  # a run folder keeps it
    no_weight_decay: tuple[str, ...] = ()  # globs on parameters: embeddings of positions and classes, and the like
    stored: Callable[[], bool] | None = None  # whether its pretrained weights are on this machine; None: it has none
    construction: Construction | None = None  # where its own library builds it


class Input(NamedTuple):
    """A sample without a label that a command line names."""

    name: str  # for people: the file, `lines.txt:3`
    read: Callable[[], Any]  # gives it as `prepare` takes it; raises BadData and MissingInput without the name


def nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Adapted:
    """What a method made of a network, in place."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    """Its own, by name, which learn from the first step on; each with a parameter beside it, whose stage is theirs."""

    start: Callable[[], None] = nothing
    """Called once the network holds the weights that it starts from; not where a checkpoint fills it."""

    merge: Callable[[], None] = nothing
    """Fold its own parameters into the network's and take them away: the same answers from the network as it was."""

    penalty: Callable[[], Tensor] | None = None  # a scalar, added to what every step makes small

    state: dict[str, Tensor] = field(default_factory=dict)  # what a checkpoint keeps for it beside the network


@dataclass(frozen=True)
class Adapter:
    """What a run with a method learned, apart from the weights beside it, which it left as they were."""

    tensors: Mapping[str, Tensor]
    base: str  # the sha256 of those weights
    method: Any  # as the experiment file has it
    applied: Callable[[Mapping[str, Tensor]], nn.Module]  # the whole model with such tensors


class SampleBatch(NamedTuple):
    """Samples as a dataset reads them, and the same prepared and collated."""

    samples: Sequence[Any]
    inputs: Tensor


class Preprocessor(NamedTuple):
    """The way from decoded samples to the model's inputs, as a part of what is exported."""

    example: Mapping[str, np.ndarray]  # its inputs
    free: Mapping[str, Mapping[int, str]]  # the dimensions of each that are free, by their names
    decoded: Callable[[Any], Mapping[str, np.ndarray]]  # a sample as a batch of one of them; raises BadData
    onnx: Callable[[int], str]  # from an opset to a model in ONNX's textual syntax; raises ExperimentError
    module: nn.Module  # the same in torch


class ScriptSource(NamedTuple):
    """Python source by which a program without this package reads samples: a part of the script beside an export."""

    imports: tuple[str, ...]  # lines of third-party imports
    packages: tuple[str, ...]  # what to install for them
    code: str  # defines `read(path)`: yields the name of each sample in a file, and the inputs of a batch of one
    argument: str  # what to call the files in the usage


class Reading(NamedTuple):
    """How the samples of the data that a model was trained on are read, for programs elsewhere."""

    decoding: Sequence[Mapping[str, Any]]  # the steps from a file to what the preprocessing takes, as JSON values
    source: Callable[[str], ScriptSource]  # by the first input of an artefact, or "sample" for one as it is


class PipelineTask(NamedTuple):
    """How the library transformers runs the models of a modality."""

    name: str  # of its pipeline, such as "text-classification"
    model_class: str  # that loads a folder
    packages: tuple[str, ...]  # that it needs beside torch and transformers
    options: str  # further arguments of a call of the pipeline, as Python source
    inputs: Callable[[Path], Callable[[SampleBatch], Mapping[str, Tensor]]]  # by the preprocessing in a folder


class Facing(NamedTuple):
    """A model as it is used elsewhere: called with named tensors instead of a collated batch."""

    module: nn.Module  # called with these tensors, by position
    inputs: Callable[[Tensor], Mapping[str, Tensor]]  # from a collated batch to them
    free: Mapping[str, Mapping[int, str]]  # the dimensions of each that are free, by their names
    limits: Mapping[str, int]  # how long a dimension of a name may be, where there is a limit
    preprocessing: Mapping[str, Any]  # what leads to them, as JSON values
    files: Mapping[str, str]  # what that needs beside the model: texts by the names of their files
    pipeline_task: PipelineTask
    preprocessor: Preprocessor | None = None  # where the preprocessing can be a part of what is exported


@dataclass(frozen=True)
class Row:
    """A sample that a person is shown, with its classes and the random streams that it has in an epoch."""

    raw: Any
    labels: tuple[str, ...]
    streams: Callable[[int], Streams]
    name: str = ""
    told: str = ""  # its classes or its numbers, in words


class Effect(Protocol):
    """What an op does alone, over some samples and epochs: a dataclass whose fields are the figures."""

    @property
    def op(self) -> str:
        """The name of its stream: a second `rotate` is `rotate#1`."""

    @property
    def tries(self) -> int: ...

    @property
    def warning(self) -> str | None:
        """What a person should change, if anything."""

    def told(self) -> Mapping[str, str]:
        """The figures for a person, under their headings."""


@dataclass(frozen=True)
class Showing:
    """What a person is to be shown, and of which samples."""

    title: str
    samples: int  # that there are for training
    rows: Sequence[Row]
    augment: tuple[Component, ...]
    preprocessing: Mapping[str, Any]
    mix: Component | None
    rng: np.random.Generator  # for mixing
    effects: Sequence[Effect] = ()
    cautions: Sequence[str] = ()


@dataclass(frozen=True)
class Sheet:
    """Samples as a person sees them."""

    file: Callable[[str], bytes]  # the content of a file with this suffix
    facts: Mapping[str, Any] = field(default_factory=dict)  # what it shows, as JSON values
    screen: Any = None  # what rich prints where no file is wanted


class Show(Protocol):
    """How a modality shows samples to a person, as the functions of its module `show`."""

    noun: str  # what it calls a sample
    default_output: Path | None  # the file where none is named; None for the screen

    def check_output(self, output: Path) -> None:
        """Raise ExperimentError for a file that no sheet can be written to."""

    def overview(self, showing: Showing) -> Sheet:
        """Samples as they are, after each augmentation alone, and after all of them."""

    def repeated(self, showing: Showing) -> Sheet:
        """Several draws of the one augmentation."""

    def severities(self, showing: Showing) -> Sheet:
        """The first sample after each augmentation that has a severity, from 0 to 1, by the same draw."""

    def effects(self, showing: Showing) -> Sequence[Effect]:
        """What each augmentation does alone."""


class Modality(Protocol):
    """The verbs of a modality, as the functions of its module `samples`."""

    show: Show
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

    def account(self, raw: Any, pipeline: Any, streams: Streams | None, labels: tuple[str, ...]) -> Account:
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
    ) -> tuple[Any, Account]:
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

    def facing(self, model: nn.Module, preprocessing: Mapping[str, Any]) -> Facing:
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


@dataclass
class Bundle:
    """A trained model and all that is needed to use it elsewhere: what an exporter writes."""

    model: nn.Module  # from a collated batch to logits (batch, classes), or numbers; normalisation is inside
    example: Tensor  # a collated batch
    task: Task
    activation: str  # "softmax" or "sigmoid", from logits to probabilities; in regression "identity"
    preprocessing: Mapping[str, Any]
    name: str
    facing: Facing  # its module gives what `outputs` names
    save: Callable[[Path], None] | None = None  # write the network as its own library does, into a folder
    scale: Mapping[str, Sequence[float]] | None = None  # of numbers, where the model has it behind its network
    adapter: Adapter | None = None  # where the method adds weights of its own
    networks: int = 1  # more where it is an ensemble
    training_samples: Callable[[int], Sequence[SampleBatch]] | None = None
    """At most so many, always the same, each a batch of its own without augmentation; raises MissingInput, BadData."""
    reading: Reading | None = None
    construction: Construction | None = None  # of the network, where a library builds it
    ordered: bool = False  # whether the order of the classes means something
    provenance: Mapping[str, Any] = field(default_factory=dict)  # JSON values for an export's metadata

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of what an artefact gives out."""
        return ("values",) if self.activation == "identity" else ("probabilities", "logits")
