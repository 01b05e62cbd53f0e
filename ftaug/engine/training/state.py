"""Experiment → Setup: everything built and ready to run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor, nn

from ftaug.config.experiment import Experiment
from ftaug.engine.loading.batches import EpochSampler, PreparedDataset
from ftaug.engine.loading.prepare import compared, evaluated, prepared
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.loading.workers import processes
from ftaug.engine.system.device import Device
from ftaug.engine.training.distillation import Teacher
from ftaug.engine.training.target_scaling import TargetScaler
from ftaug.engine.training.unfreeze import Plan
from ftaug.engine.training.weight_averaging import Average
from ftaug.interfaces.data import Task
from ftaug.interfaces.model import Backbone, PeftModel, TrainingLength

if TYPE_CHECKING:
    from ftaug.engine.training.feature_cache import Features
    from ftaug.engine.training.micro_batch_size import MicroBatchSize


class Model(nn.Module):
    """From a collated batch to logits: the modality's normalisation, then the network, then the units of numbers."""

    def __init__(self, normaliser: nn.Module, network: nn.Module, units: nn.Module) -> None:
        super().__init__()
        self.normaliser = normaliser
        self.network = network
        self.units = units

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits (batch, classes), or numbers in the units of the data."""
        return cast(Tensor, self.units(self.network(self.normaliser(inputs))))


@dataclass(frozen=True)
class TrainingState:
    """All that training needs. Only `model`, `optimizer`, `scaler` and `average` change while it runs."""

    experiment: Experiment
    device: Device
    evaluation_device: Device  # the same, in the precision of evaluation
    portions: Mapping[str, DataSplit]
    backbone: Backbone
    model: Model
    epochs: EpochSampler
    horizon: TrainingLength
    plan: Plan
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    average: Average | None
    loss: Callable[[Tensor, Tensor], Tensor]
    method: PeftModel
    counts: np.ndarray  # how often an epoch visits each class: int64 (classes,)
    scale: TargetScaler | None  # of the numbers, in regression
    hazards: Sequence[str]  # what a person should know before training
    features: "Features | None" = None  # what a frozen prefix gave, stored
    teacher: Teacher | None = None  # of a distillation
    new_head: bool = False  # whether it starts at the best constant answer
    parts: "MicroBatchSize | None" = None  # in which a batch goes through the network

    @property
    def task(self) -> Task:
        """What is told apart."""
        return self.portions["train"].task

    @property
    def workers(self) -> int:
        """Processes that prepare batches."""
        return processes(self.experiment.data.workers)

    def network_at(self, step: int) -> nn.Module:
        """What is trained at a step: the model, or the rest of it behind a prefix whose features are stored."""
        stored = self.features is not None and step < self.features.until
        return self.features.cut.rest if self.features is not None and stored else self.model

    def prepared(self, purpose: str) -> PreparedDataset:
        """The samples of a purpose, on their way to the model: augmented only for training."""
        preprocessing = self.backbone.preprocessing
        if purpose != "train":
            return prepared(self.experiment, self.portions[purpose], (), evaluated(self.experiment, preprocessing))
        data = prepared(self.experiment, self.portions[purpose], self.experiment.augment, preprocessing)
        data = replace(data, plans=self.device.augments)
        return compared(data, self.experiment, preprocessing)
