"""What an exporter is given: the model, its inputs, and how programs elsewhere read samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ftaug.interfaces.data import Task
from ftaug.interfaces.model import Adapter, Construction

if TYPE_CHECKING:
    from torch import Tensor, nn


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
    options: tuple[str, ...]  # further arguments of a call of the pipeline, as Python source
    inputs: Callable[[Path], Callable[[SampleBatch], Mapping[str, Tensor]]]  # by the preprocessing in a folder


class ExportSignature(NamedTuple):
    """A model as it is used elsewhere: called with named tensors instead of a collated batch."""

    module: nn.Module  # called with these tensors, by position
    inputs: Callable[[Tensor], Mapping[str, Tensor]]  # from a collated batch to them
    free: Mapping[str, Mapping[int, str]]  # the dimensions of each that are free, by their names
    limits: Mapping[str, int]  # how long a dimension of a name may be, where there is a limit
    preprocessing: Mapping[str, Any]  # what leads to them, as JSON values
    files: Mapping[str, str]  # what that needs beside the model: texts by the names of their files
    pipeline_task: PipelineTask
    preprocessor: Preprocessor | None = None  # where the preprocessing can be a part of what is exported


@dataclass
class Bundle:
    """A trained model and all that is needed to use it elsewhere: what an exporter writes."""

    model: nn.Module  # from a collated batch to logits (batch, classes), or numbers; normalisation is inside
    example: Tensor  # a collated batch
    task: Task
    activation: str  # "softmax" or "sigmoid", from logits to probabilities; in regression "identity"
    preprocessing: Mapping[str, Any]
    name: str
    facing: ExportSignature  # its module gives what `outputs` names
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
