"""The training state: model, optimizer, data, schedule and device, built and ready to run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor, nn

from ftaug.config.experiment import Experiment
from ftaug.engine.loading.batches import EpochSampler, PreparedDataset
from ftaug.engine.loading.prepare import evaluation_preprocessing, prepare_split, with_unlabeled, with_views
from ftaug.engine.loading.split import UNLABELED, DataSplit
from ftaug.engine.loading.workers import processes
from ftaug.engine.system.device import Device
from ftaug.engine.system.ranks import ALONE, Ranks
from ftaug.engine.training.distillation import Teacher
from ftaug.engine.training.running_means import RunningMeans
from ftaug.engine.training.target_scaling import TargetScaler
from ftaug.engine.training.unfreeze import Plan
from ftaug.engine.training.weight_averaging import Average
from ftaug.interfaces.data import Task
from ftaug.interfaces.model import Backbone, PeftModel, TrainingLength

if TYPE_CHECKING:
    from ftaug.engine.training.feature_cache import Features
    from ftaug.engine.training.micro_batch_size import MicroBatchSize
    from ftaug.engine.training.teacher_features import TeacherFeatures


class Model(nn.Module):
    """The full model from collated batch to logits: input normalization, network, unscaling of regression targets."""

    def __init__(self, normalizer: nn.Module, network: nn.Module, units: nn.Module) -> None:
        super().__init__()
        self.normalizer = normalizer
        self.network = network
        self.units = units

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits (batch, classes); in regression predictions in the units of the data."""
        return cast(Tensor, self.units(self.network(self.normalizer(inputs))))


@dataclass(frozen=True)
class TrainingState:
    """Everything that training needs. Only `model`, `optimizer`, `scaler`, `average` and `means` change meanwhile."""

    experiment: Experiment
    device: Device
    evaluation_device: Device  # the same, in the precision of evaluation
    splits: Mapping[str, DataSplit]
    backbone: Backbone
    model: Model
    epochs: EpochSampler
    training_length: TrainingLength
    plan: Plan
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    average: Average | None
    loss: Callable[[Tensor, Tensor], Tensor]
    method: PeftModel
    counts: np.ndarray  # how often an epoch visits each class: int64 (classes,)
    scale: TargetScaler | None  # of the targets, in regression
    cautions: Sequence[str]  # warnings to show before training
    features: "Features | None" = None  # cached outputs of the frozen prefix
    teacher: Teacher | None = None  # for distillation
    means: RunningMeans | None = None  # what the objective has observed
    codes: Tensor | None = None  # of samples, if there are too many for an output each: see pretext_task
    teacher_features: "TeacherFeatures | None" = None  # targets of feature distillation
    new_head: bool = False  # whether the head is initialized to the best constant prediction
    micro_batch: "MicroBatchSize | None" = None  # samples per forward pass
    ranks: Ranks = ALONE  # the processes that train together
    unsharded: Model | None = None  # the model without its weights, if these are sharded over the processes

    @property
    def task(self) -> Task:
        """The prediction task: classes or numbers, and their kind."""
        return self.splits["train"].task

    @property
    def is_sharded(self) -> bool:
        """Whether the weights are sharded over the processes."""
        return self.unsharded is not None

    @property
    def workers(self) -> int:
        """The number of worker processes of the data loader."""
        return processes(self.experiment.data.workers)

    def network_at(self, step: int) -> nn.Module:
        """Return the module to train at a step: the model, or its rest while features of the prefix are cached."""
        stored = self.features is not None and step < self.features.until
        return self.features.cut.rest if self.features is not None and stored else self.model

    def prepared(self, purpose: str) -> PreparedDataset:
        """Return the dataset of a split with the modality's preprocessing; only "train" is augmented."""
        preprocessing, split = self.backbone.preprocessing, self.splits[purpose]
        if purpose != "train":
            return prepare_split(self.experiment, split, (), evaluation_preprocessing(self.experiment, preprocessing))
        data = prepare_split(self.experiment, split, self.experiment.augment, preprocessing)
        data = with_views(replace(data, plans=self.device.augments), self.experiment, preprocessing)
        if self.epochs.unlabeled is None:
            return data
        return with_unlabeled(data, self.experiment, self.splits[UNLABELED], preprocessing)
