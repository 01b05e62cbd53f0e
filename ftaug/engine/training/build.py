"""Build the training state from an experiment: device, model, optimizer, loss and schedule."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from ftaug.config.experiment import Experiment
from ftaug.config.task_fit import labels_learned, with_task_defaults
from ftaug.config.types import Duration
from ftaug.engine.loading import label_check
from ftaug.engine.loading.prepare import (
    modality_of,
    sizes_of,
    token_budget_of,
    training_length,
    training_sampler,
    with_unlabeled_turns,
)
from ftaug.engine.loading.split import UNLABELED, DataSplit
from ftaug.engine.loading.split_notes import shared_samples, size_mismatches, unused_rows
from ftaug.engine.system import device as devices
from ftaug.engine.system.device import Device
from ftaug.engine.training import depthwise, head_init, metric_check, task_check, unfreeze
from ftaug.engine.training.gradient_checkpointing import enable_gradient_checkpointing
from ftaug.engine.training.peft import adapt
from ftaug.engine.training.pretext_task import sample_codes, with_pretext_task
from ftaug.engine.training.running_means import RunningMeans
from ftaug.engine.training.state import Model, TrainingState
from ftaug.engine.training.target_scaling import TargetScaler, Unscale
from ftaug.engine.training.unfreeze import Plan
from ftaug.engine.training.weight_averaging import Average
from ftaug.errors import BadData, ExperimentError, Problem
from ftaug.interfaces.data import ClassCounts, Task
from ftaug.interfaces.model import Backbone, TrainingLength


def bind_loss(
    experiment: Experiment, counts: np.ndarray, samples: int, scale: TargetScaler | None
) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the loss as a function of logits and targets, with the class counts or the target scaling bound to it."""
    per_class = torch.from_numpy(counts)

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        if scale is not None:
            logits, targets = scale.standard(logits), scale.standard(targets)
        logits = logits.float()
        return cast(Tensor, experiment.loss(logits, targets, ClassCounts(per_class.to(logits.device), samples)))

    return loss


def build_model(experiment: Experiment, task: Task, scale: TargetScaler | None = None) -> tuple[Backbone, Model]:
    """Build the backbone and the model for a task, randomly initialized from the seed."""
    torch.manual_seed(experiment.seed)
    backbone = experiment.backbone(task.classes, experiment.input)
    units = Unscale(scale) if scale is not None and labels_learned(experiment) else nn.Identity()
    return backbone, Model(modality_of(experiment).normalizer(backbone.preprocessing), backbone.network, units)


def place_model(model: Model, device: Device) -> Model:
    """Move a model to its device, convolutions in the channels-last memory format."""
    return devices.in_channels_last(model.to(device.torch))


def build(
    experiment: Experiment, device_name: str, splits: Mapping[str, DataSplit], *, pretrained: bool
) -> TrainingState:
    """Build the training state; raises BadData, ExperimentError.

    `pretrained` is false where a checkpoint is loaded next: no pretrained weights are loaded then.
    """
    splits = with_pretext_task(experiment, splits)
    train = splits["train"]
    codes = sample_codes(experiment, len(train))
    verbs = modality_of(experiment)
    augment_device = experiment.data.augment_device if verbs.on_device else "cpu"
    device = devices.choose(device_name, experiment.train.precision, augment_device)
    devices.prepare_process(device)
    if len(train) < 2:
        raise BadData(f"data.train: {len(train)} sample is not enough to train on")
    experiment = with_task_defaults(experiment, train.task.kind)
    task_check.check(experiment, train.task)
    unmeasured = metric_check.check(experiment, splits)
    length = training_length(experiment, train.epoch_samples)
    _check_warmup(experiment, length)
    scale = TargetScaler.of(train) if train.task.regression else None
    backbone, model = build_model(experiment, train.task, scale)
    learning = unfreeze.plan(backbone, experiment, length)  # before the weights, which may have to be downloaded
    sizes = sizes_of(experiment, train, backbone.preprocessing)
    cautions = [*cautions_of(experiment, splits, backbone.preprocessing), *unmeasured]
    cautions += _random_layers(experiment, backbone, learning)
    epochs = training_sampler(experiment, train, sizes, token_budget_of(experiment, device))
    epochs = with_unlabeled_turns(epochs, experiment, splits)
    resampling = epochs.resampling
    counts = train.counts() if resampling is None else resampling.quotas
    new_head = pretrained and head_init.start(backbone, experiment, train, counts)
    method = adapt(backbone, experiment)
    plan = unfreeze.plan(backbone, experiment, length, method.parameters)
    place_model(model, device)
    depthwise.keep_in_fp32(model, device)
    if pretrained:
        method.start()
    if experiment.train.gradient_checkpointing:
        enable_gradient_checkpointing(backbone)
    if experiment.train.compile:
        model.network.compile(dynamic=None)
    return TrainingState(
        experiment=experiment,
        device=device,
        evaluation_device=devices.choose_for_evaluation(device_name, experiment),
        splits=splits,
        backbone=backbone,
        model=model,
        epochs=epochs,
        training_length=length,
        plan=plan,
        optimizer=experiment.optimizer(parameter_groups(backbone.network, plan, experiment.lr.peak)),
        scaler=torch.amp.GradScaler(device.torch.type, enabled=device.precision == "fp16"),
        average=Average.of(model.network, experiment.train, length),
        loss=bind_loss(experiment, counts, len(train), scale),
        counts=counts,
        scale=scale,
        method=method,
        cautions=cautions,
        codes=None if codes is None else codes.to(device.torch),
        means=RunningMeans.of(experiment, 2 + len(train.task.classes)),
        new_head=new_head,
    )


def cautions_of(experiment: Experiment, splits: Mapping[str, DataSplit], preprocessing: Mapping[str, Any]) -> list[str]:
    """Collect warnings to show before training: label-changing augmentations, unused rows, overlapping splits."""
    verbs = modality_of(experiment)
    verbs.check_pipeline(verbs.pipeline(experiment.augment, preprocessing))
    messages = list(verbs.label_cautions(experiment.augment, splits["train"].task))
    messages += [*label_check.cautions(experiment, splits["train"]), *size_mismatches(experiment.data, splits)]
    if experiment.unfreeze == "auto":
        messages.append("the layers to train are chosen when training begins (unfreeze: auto)")
    messages += unused_rows(splits)
    batch = experiment.data.batch_size * experiment.train.gradient_accumulation
    if batch > len(splits["train"]):
        messages.append(
            f"a batch of {batch:,} is larger than the {len(splits['train']):,} training samples: an epoch is one step"
        )
    for purpose, split in splits.items():
        messages += [f"{purpose}: {overlap}" for overlap in _overlaps(split, splits) if purpose != UNLABELED]
        if purpose != "test":
            sizes = sizes_of(experiment, split, preprocessing)
            pipeline = verbs.pipeline(experiment.augment if purpose == "train" else (), preprocessing)
            messages += [
                f"{purpose}: {caution}" for caution in verbs.cautions(split.samples, split.ids, sizes, pipeline)
            ]
    return messages


def _overlaps(split: DataSplit, splits: Mapping[str, DataSplit]) -> Iterator[str]:
    """Yield a warning if samples of a split are trained on, with or without their labels."""
    train = splits["train"]
    if split.samples is not train.samples and split.samples.fingerprint == train.samples.fingerprint:
        yield "the same data as train, so metrics say nothing about new samples"
    elif shared := shared_samples(split, train):
        yield shared
    if UNLABELED in splits and split is not train and (shared := shared_samples(split, splits[UNLABELED])):
        yield shared


def _random_layers(experiment: Experiment, backbone: Backbone, plan: Plan) -> list[str]:
    """Return a warning if randomly initialized layers stay frozen for the whole run."""
    if experiment.backbone.settings.get("weights") != "none":
        return []
    parameters = dict(backbone.network.named_parameters())
    learning = {name for group in plan.groups for name in group.names}
    frozen = sum(tensor.numel() for name, tensor in parameters.items() if name not in learning)
    if not frozen:
        return []
    total = sum(tensor.numel() for tensor in parameters.values())
    text = f"{frozen:,} of {total:,} parameters are random (weights: none) and never trained"
    return [f"{text}; use pretrained weights, or unfreeze: [all]"]


def _check_warmup(experiment: Experiment, length: TrainingLength) -> None:
    """Raise ExperimentError if the warm-up is as long as training, which depends on the size of the data."""
    schedule = experiment.lr.schedule
    warmup = schedule.settings.get("warmup")
    if isinstance(warmup, Duration) and warmup.steps(length) >= length.total_steps:
        key = f"lr.schedule.{schedule.name}.warmup"
        text = f"{key} must end before the end of training ({length.total_steps} steps); got {warmup}"
        raise ExperimentError(Problem(text, schedule.place))


def parameter_groups(network: nn.Module, plan: Plan, peak: float) -> list[dict[str, Any]]:
    """Return the optimizer's parameter groups: every parameter that is ever trainable, from the start."""
    parameters = dict(network.named_parameters())
    return [
        {
            "params": [parameters[name] for name in group.names],
            "lr": peak * group.lr_factor,
            "decays": group.decays,
            "hidden": tuple(name in plan.hidden for name in group.names),
            "name": group.stage,
        }
        for group in plan.groups
    ]
