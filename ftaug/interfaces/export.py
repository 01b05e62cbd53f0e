"""Export interface: the model with named inputs, its preprocessing, and source of an inference script."""

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
    """Raw samples and the same samples prepared and collated into a batch."""

    samples: Sequence[Any]
    inputs: Tensor


class Preprocessor(NamedTuple):
    """Preprocessing from decoded samples to model inputs, exported as part of the model."""

    example: Mapping[str, np.ndarray]  # example inputs, by name
    free: Mapping[str, Mapping[int, str]]  # dynamic axes of each input: {axis: name}
    decoded: Callable[[Any], Mapping[str, np.ndarray]]  # map a raw sample to inputs of batch size 1; raises BadData
    onnx: Callable[[int], str]  # map an opset to ONNX text format; raises ExperimentError
    module: nn.Module  # the same preprocessing in torch


class ScriptSource(NamedTuple):
    """Python source that reads samples without ftaug: a part of the inference script beside an export."""

    imports: tuple[str, ...]  # lines of third-party imports
    packages: tuple[str, ...]  # pip packages they need
    code: str  # defines `read(path)`: yield the name and the inputs (batch size 1) of each sample in a file
    argument: str  # placeholder of the files in the usage line


class Reading(NamedTuple):
    """Decoding steps and script source to read samples as in training, for inference without ftaug."""

    decoding: Sequence[
        Mapping[str, Any]
    ]  # decoding steps from a file to the input of the preprocessing, as JSON values
    source: Callable[[str], ScriptSource]  # by the first input of the exported model; "sample": the raw sample


class PipelineTask(NamedTuple):
    """The transformers pipeline that runs the models of a modality."""

    name: str  # pipeline task, such as "text-classification"
    model_class: str  # class that loads a saved folder
    packages: tuple[str, ...]  # required besides torch and transformers
    options: tuple[str, ...]  # further call arguments, as Python source
    inputs: Callable[[Path], Callable[[SampleBatch], Mapping[str, Tensor]]]  # load a folder's preprocessing


class ExportSignature(NamedTuple):
    """Signature of an exported model: called with named tensors instead of a collated batch."""

    module: nn.Module  # called with the input tensors by position
    inputs: Callable[[Tensor], Mapping[str, Tensor]]  # map a collated batch to the named inputs
    free: Mapping[str, Mapping[int, str]]  # dynamic axes of each input: {axis: name}
    limits: Mapping[str, int]  # maximum size of a dynamic axis, by axis name
    preprocessing: Mapping[str, Any]  # preprocessing that yields the inputs, as JSON values
    files: Mapping[str, str]  # content of files the preprocessing needs, by file name
    pipeline_task: PipelineTask
    preprocessor: Preprocessor | None = None  # set if the preprocessing can be exported with the model


@dataclass
class Bundle:
    """A trained model with everything an exporter writes: signature, preprocessing, metadata."""

    model: nn.Module  # maps a collated batch to logits (batch, classes) or numbers; includes normalization
    example: Tensor  # a collated batch
    task: Task
    activation: str  # maps logits to probabilities: "softmax", "sigmoid"; in regression "identity"
    preprocessing: Mapping[str, Any]
    name: str
    export_signature: ExportSignature  # its module returns the tensors named by `outputs`
    save: Callable[[Path], None] | None = None  # save in the format of its library, into a folder
    scale: Mapping[str, Sequence[float]] | None = (
        None  # target scaling of regression, if the model applies it after the network
    )
    adapter: Adapter | None = None  # set for PEFT methods that add weights
    networks: int = 1  # number of ensemble members
    training_samples: Callable[[int], Sequence[SampleBatch]] | None = None
    """Return up to n training samples, always the same, each as a batch of 1 without augmentation.

    Raises MissingInput, BadData.
    """
    reading: Reading | None = None
    construction: Construction | None = None  # set if a library builds the network
    ordered: bool = False  # whether the classes are ordinal
    calibration: Mapping[str, Any] | None = None  # JSON values: `scale` and `bias` of the logits, and how it was fitted
    provenance: Mapping[str, Any] = field(default_factory=dict)  # JSON values of the export metadata

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs of an exported model."""
        return ("values",) if self.activation == "identity" else ("probabilities", "logits")
