"""The JSON files of a run folder: what they hold, as far as it is read; imports no torch."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, PositiveInt, model_validator

MAX_FOLDS = 100_000
MAX_COUNT = 2**53


class Content(BaseModel, extra="allow", strict=True):
    """Content of a JSON file, as far as it is read."""


Metrics = dict[str, float | None]
"""Values by name; null where a metric is undefined."""


class Preprocessing(Content):
    """How inputs are prepared for a model, as far as modalities have it in common."""

    size: Annotated[list[PositiveInt], Field(min_length=2, max_length=2)] = [1, 1]
    resize: PositiveInt | None = None
    mean: list[float] = []
    std: list[float] = []


class ModelFile(Content):
    """Content of model.json, as far as it is read."""

    classes: list[str]
    multi_label: bool
    activation: str
    preprocessing: Preprocessing
    class_counts: list[Annotated[float, Field(ge=0, le=MAX_COUNT)]]
    regression: bool | None = None
    train_samples: int | None = None
    data: dict[Literal["train", "val", "test", "unlabeled"], str] | None = None
    built_from: list[str] | None = None


class Status(Content):
    """Content of status.json, as far as it is read."""

    digest: str
    attempt: int
    step: int
    deaths: int
    running: bool


class Complete(Content):
    """Content of complete.json."""

    step: int
    best: int
    metrics: Metrics


class Folds(Content):
    """Content of folds.json."""

    digest: str
    folds: Annotated[int, Field(ge=2, le=MAX_FOLDS)]
    complete: bool
    metrics: Metrics | None = None
    sd: Metrics | None = None


class Environment(Content):
    """Content of environment.json, as far as it is read."""

    command: list[str] = []
    packages: dict[str, str] = {}
    devices: list[str] = []


class Thresholds(Content):
    """Content of thresholds.json, as far as it is read."""

    thresholds: dict[str, float]


class Interval(Content):
    """A value of an evaluation with its confidence interval; null where it is undefined."""

    value: float | None
    low: float | None = None
    high: float | None = None
    note: str | None = None


class ClassMetrics(Content):
    """The metrics of a class, as far as they are read."""

    name: str = Field(alias="class")
    samples: int
    predicted: int
    precision: float
    recall: float
    f1: float
    intervals: dict[str, Interval]


class SliceMetrics(Interval):
    """The metric of a slice."""

    column: str
    slice: str
    samples: int
    shrunken: float
    adjusted_p: float | None


class Slices(Content):
    """The worst slices of an evaluation."""

    metric: str
    worst: list[SliceMetrics]
    notes: list[str]


class CorruptionMetrics(Interval):
    """The metric under a corruption, by level."""

    corruption: str
    levels: list[Interval]
    trained_on: list[str]


class Corruptions(Content):
    """The metric on corrupted samples."""

    metric: str
    clean: Interval
    mean: Interval
    categories: dict[str, Interval]
    corruptions: Annotated[list[CorruptionMetrics], Field(min_length=1)]
    notes: list[str] = []


class Evaluation(Content):
    """Content of the results of an evaluation, as far as it is read."""

    checkpoint: str
    samples: int
    metrics: Metrics
    intervals: dict[str, Interval] | None = None
    classes: list[ClassMetrics] | None = None
    confusion: list[list[float]] | None = None
    numbers: Annotated[list[dict[str, str | float | None]], Field(min_length=1)] | None = None
    slices: Slices | None = None
    corruptions: Corruptions | None = None
    cautions: list[str] = []
    left_out: int | None = None


class MetricsRow(Content):
    """A row of metrics.jsonl, as far as it is read: of training steps, of an evaluation or of an event."""

    step: Annotated[int, Field(ge=0)]
    epoch: Annotated[float, Field(ge=0)] | None = None
    loss: float | None = None
    lr: float | None = None
    samples: int | None = None
    val: Metrics | None = None

    @model_validator(mode="after")
    def _check_complete(self) -> Self:
        """Check the keys that rows of training steps and of evaluations always have."""
        fields = self.model_fields_set
        if "loss" in fields and not {"epoch", "lr", "samples"} <= fields:
            raise ValueError("a row of training steps lacks a key")
        if "val" in fields and (self.epoch is None or self.val is None or "loss" not in self.val):
            raise ValueError("a row of an evaluation lacks a key")
        return self
