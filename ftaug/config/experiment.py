"""The shape of an experiment file, top to bottom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from ftaug.config.registry import Component
from ftaug.config.schema import OfKind
from ftaug.config.types import Count, CountOrZero, Duration, Fraction, NonNegative, Positive, Probability, Text

Dataset = Annotated[Component, OfKind("dataset")]


@dataclass(frozen=True)
class Split:
    """Samples taken out of the training set: stratified by class, never parting a group, the same for every run."""

    split: Fraction | Count


@dataclass(frozen=True)
class Data:
    """Where samples come from and how they are batched."""

    train: Dataset
    val: Split | Dataset | None = Split(0.2)
    test: Split | Dataset | None = None
    batch_size: Count = 32
    workers: CountOrZero | Literal["auto"] = "auto"


@dataclass(frozen=True)
class Last:
    """The last stages of a network, its head included."""

    last: Count


@dataclass(frozen=True)
class UnfreezeStage:
    """From a point in training on, these layers learn too."""

    layers: tuple[Text | Last, ...]
    from_: Duration = Duration(0, "steps")  # `from` in YAML
    lr: Positive = 1.0  # factor of the peak rate


@dataclass(frozen=True)
class LearningRate:
    """The learning rate: a peak, its course over the run, and factors for parts of the network."""

    peak: Positive = 1e-3
    schedule: Annotated[Component, OfKind("schedule")] = field(default="cosine")  # type: ignore[assignment]
    layer_decay: Annotated[float, "each stage's rate is this times the next one's, from the head down"] = 1.0
    stages: Mapping[str, Positive] = field(default_factory=dict)  # pattern -> factor of the peak


@dataclass(frozen=True)
class EarlyStop:
    """Stop when the best metric has not improved for a number of evaluations."""

    patience: Count
    min_delta: NonNegative = 0.0


@dataclass(frozen=True)
class Train:
    """How long and with which numerics."""

    epochs: Count = 10
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    accumulate: Count = 1
    clip_norm: Positive | None = None
    decay_norms: bool = False  # weight decay on norms and biases too
    ema: Probability | None = None  # decay per step
    early_stop: EarlyStop | None = None
    max_time: Annotated[str | None, "minutes or h:mm"] = None
    save_every: Duration | None = None


@dataclass(frozen=True)
class Evaluate:
    """What is measured, when, and which value chooses the best checkpoint."""

    every: Duration = Duration(1, "epochs")
    metrics: tuple[Annotated[Component, OfKind("metric")], ...] = ("accuracy",)  # type: ignore[assignment]
    best: Text = "accuracy"
    batch_size: Count | None = None


@dataclass(frozen=True)
class Experiment:
    """One experiment file, complete: every default filled in."""

    data: Data
    backbone: Annotated[Component, OfKind("backbone")]
    name: Text = ""
    seed: CountOrZero = 0
    plugins: tuple[str, ...] = ()
    modality: Literal["image"] = "image"
    unfreeze: tuple[Text | Last | UnfreezeStage, ...] = ("all",)
    augment: tuple[Annotated[Component, OfKind("augmentation")], ...] = ()
    mix: Annotated[Component, OfKind("mix")] | None = None
    loss: Annotated[Component, OfKind("loss")] = "cross_entropy"  # type: ignore[assignment]
    optimizer: Annotated[Component, OfKind("optimizer")] = "adamw"  # type: ignore[assignment]
    lr: LearningRate = field(default_factory=LearningRate)
    train: Train = field(default_factory=Train)
    evaluate: Evaluate = field(default_factory=Evaluate)
