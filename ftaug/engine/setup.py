"""Experiment → Setup: everything built and ready to run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from ftaug.config.experiment import Experiment
from ftaug.config.task_fit import with_task_defaults
from ftaug.config.types import Duration
from ftaug.engine import agreement, depthwise, head_init, label_check, metric_check, unfreeze
from ftaug.engine import device as devices
from ftaug.engine.adapt import adapt
from ftaug.engine.average import Average
from ftaug.engine.batches import Epochs, Prepared
from ftaug.engine.device import Device
from ftaug.engine.distil import Teacher
from ftaug.engine.parting import Parting
from ftaug.engine.portion import Portion, shared_samples, unlike_asked, unused_rows
from ftaug.engine.recompute import recompute
from ftaug.engine.resampling import Resampling
from ftaug.engine.unfreeze import Plan
from ftaug.engine.units import Scale, Units
from ftaug.engine.workers import processes
from ftaug.errors import BadData, ExperimentError, Problem
from ftaug.interfaces import Adapted, Backbone, ClassCounts, Horizon, Modality, Task

if TYPE_CHECKING:
    from ftaug.engine.features import Features
    from ftaug.engine.memory import Parts

MOST_ALIKE = 16
"""Steps among which those alike are batched together, at most: more would hardly pad less."""


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


@dataclass
class Setup:
    """A run's parts. Only `model`, `optimizer`, `scaler` and `average` change while it trains."""

    experiment: Experiment
    device: Device
    evaluation_device: Device  # the same, in the precision of evaluation
    portions: Mapping[str, Portion]
    backbone: Backbone
    model: Model
    epochs: Epochs
    horizon: Horizon
    plan: Plan
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    average: Average | None
    loss: Callable[[Tensor, Tensor], Tensor]
    method: Adapted
    counts: np.ndarray  # how often an epoch visits each class: int64 (classes,)
    scale: Scale | None  # of the numbers, in regression
    hazards: Sequence[str]  # what a person should know before training
    features: "Features | None" = None  # what a frozen prefix gave, stored
    teacher: Teacher | None = None  # of a distillation
    new_head: bool = False  # whether it starts at the best constant answer
    parts: "Parts | None" = None  # in which a batch goes through the network

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

    def prepared(self, purpose: str) -> Prepared:
        """The samples of a purpose, on their way to the model: augmented only for training."""
        preprocessing = self.backbone.preprocessing
        if purpose != "train":
            return prepared(self.experiment, self.portions[purpose], (), evaluated(self.experiment, preprocessing))
        data = prepared(self.experiment, self.portions[purpose], self.experiment.augment, preprocessing)
        data = replace(data, plans=self.device.augments)
        return _compared(data, self.experiment, preprocessing)


def modality_of(experiment: Experiment) -> Modality:
    """The verbs of the experiment's modality."""
    return cast(Modality, import_module(f"ftaug.{experiment.modality}.samples"))


def prepared(experiment: Experiment, portion: Portion, augment: Any, preprocessing: Mapping[str, Any]) -> Prepared:
    """A portion's samples with the pipeline that leads them to the model."""
    verbs = modality_of(experiment)
    pipeline = verbs.pipeline(augment, preprocessing)
    sizes = verbs.sizes(portion.samples, portion.ids, pipeline)
    return Prepared(portion, experiment.modality, pipeline, experiment.seed, verbs.relabels(pipeline), sizes=sizes)


def evaluated(experiment: Experiment, preprocessing: Mapping[str, Any]) -> dict[str, Any]:
    """The preprocessing for evaluation, which may look at several views of a sample."""
    return {**preprocessing, "views": experiment.evaluate.views}


def views_of(experiment: Experiment) -> int:
    """How many views of each sample training compares."""
    return 1 + int(experiment.objective.settings.get("augmented", 0)) if experiment.objective is not None else 1


def _compared(data: Prepared, experiment: Experiment, preprocessing: Mapping[str, Any]) -> Prepared:
    """The training samples in as many views as the objective compares."""
    if views_of(experiment) == 1:
        return data
    varying = {op.name for op in experiment.augment if op.fact("varies")}
    plain = modality_of(experiment).pipeline([op for op in experiment.augment if op.name not in varying], preprocessing)
    names = (f"{name}#{use}" if use else name for name in varying for use in range(len(experiment.augment)))
    return replace(data, plain=plain, views=views_of(experiment), varying=frozenset(names))


def epochs_of(
    experiment: Experiment,
    train_size: int,
    sizes: np.ndarray | None = None,
    resampling: Resampling | None = None,
    parting: Parting | None = None,
) -> Epochs:
    """How training visits its samples."""
    data = experiment.data
    plain = Epochs(experiment.seed, train_size, data.batch_size, experiment.train.accumulate)
    bucket = max(1, min(MOST_ALIKE, plain.steps // 4)) if data.bucket == "auto" else data.bucket
    if experiment.mix is not None:  # its step is mixed first, and then parted
        parting = None
    return replace(plain, sizes=sizes, bucket=bucket, parting=parting, resampling=resampling)


def parting_of(experiment: Experiment, device: Device) -> Parting | None:
    """How batches of unequal samples are parted on a device; by itself not where the samples of a batch meet."""
    apart = experiment.mix is None and experiment.objective is None
    return Parting.on(device.torch.type, experiment.data.batch_tokens, apart=apart)


def resampling_of(experiment: Experiment, train: Portion) -> Resampling | None:
    """Which samples an epoch visits, where a sampler says so."""
    sampler = experiment.data.sampler
    return Resampling.by(sampler, experiment.seed, train.targets, train.counts()) if sampler is not None else None


def horizon(experiment: Experiment, train_size: int) -> Horizon:
    """How long the run is."""
    steps = epochs_of(experiment, train_size).steps
    return Horizon(steps * experiment.train.epochs, steps)


def bind_loss(
    experiment: Experiment, counts: np.ndarray, samples: int, scale: Scale | None
) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss as a function of logits and targets, the class counts of training bound to it, or the numbers' scale."""
    per_class = torch.from_numpy(counts)

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        if scale is not None:
            logits, targets = scale.standard(logits), scale.standard(targets)
        logits = logits.float()
        return cast(Tensor, experiment.loss(logits, targets, ClassCounts(per_class.to(logits.device), samples)))

    return loss


def build_model(experiment: Experiment, task: Task, scale: Scale | None = None) -> tuple[Backbone, Model]:
    """Build the network for the task, its weights drawn from the seed."""
    torch.manual_seed(experiment.seed)
    backbone = experiment.backbone(task.classes, experiment.input)
    objective = experiment.objective
    tells_targets = objective is None or objective.fact("tells_classes")
    units = Units(scale) if scale is not None and tells_targets else nn.Identity()
    return backbone, Model(modality_of(experiment).normaliser(backbone.preprocessing), backbone.network, units)


def place_model(model: Model, device: Device) -> Model:
    """Move a model to its device, convolutions in the layout that their kernels want."""
    return devices.in_channels_last(model.to(device.torch))


def build(experiment: Experiment, device_name: str, portions: Mapping[str, Portion], *, pretrained: bool) -> Setup:
    """Build everything; `pretrained` is false where a checkpoint is about to fill the network."""
    train = portions["train"]
    verbs = modality_of(experiment)
    augment_on = experiment.data.augment_on if verbs.on_device else "cpu"
    device = devices.choose(device_name, experiment.train.precision, augment_on)
    devices.prepare_process(device)
    if len(train) < 2:
        raise BadData(f"data.train: {len(train)} sample is not enough to train on")
    experiment = with_task_defaults(experiment, train.task.kind)
    agreement.check(experiment, train.task)
    unmeasured = metric_check.check(experiment, portions)
    length = horizon(experiment, len(train))
    _check_warmup(experiment, length)
    scale = Scale.of(train) if train.task.regression else None
    backbone, model = build_model(experiment, train.task, scale)
    learning = unfreeze.plan(backbone, experiment, length)  # before the weights, which may have to be downloaded
    sizes = sizes_of(experiment, train, backbone.preprocessing)
    hazards = [*cautions(experiment, portions, backbone.preprocessing), *unmeasured]
    hazards += _random_layers(experiment, backbone, learning)
    resampling = resampling_of(experiment, train)
    counts = train.counts() if resampling is None else resampling.quotas
    new_head = pretrained and head_init.start(backbone, experiment, train, counts)
    method = adapt(backbone, experiment)
    plan = unfreeze.plan(backbone, experiment, length, method.parameters)
    place_model(model, device)
    depthwise.keep_in_fp32(model, device)
    if pretrained:
        method.start()
    if experiment.train.gradient_checkpointing:
        recompute(backbone)
    if experiment.train.compile:
        model.network.compile(dynamic=None)
    return Setup(
        experiment=experiment,
        device=device,
        evaluation_device=devices.choose_for_evaluation(device_name, experiment),
        portions=portions,
        backbone=backbone,
        model=model,
        epochs=epochs_of(experiment, len(train), sizes, resampling, parting_of(experiment, device)),
        horizon=length,
        plan=plan,
        optimizer=experiment.optimizer(parameter_groups(backbone.network, plan, experiment.lr.peak)),
        scaler=torch.amp.GradScaler(device.torch.type, enabled=device.precision == "fp16"),
        average=Average.of(model.network, experiment.train, length),
        loss=bind_loss(experiment, counts, len(train), scale),
        counts=counts,
        scale=scale,
        method=method,
        hazards=hazards,
        new_head=new_head,
    )


def sizes_of(experiment: Experiment, portion: Portion, preprocessing: Mapping[str, Any]) -> np.ndarray | None:
    """How much work each sample is; None where all are alike."""
    verbs = modality_of(experiment)
    return verbs.sizes(portion.samples, portion.ids, verbs.pipeline((), preprocessing))


def cautions(experiment: Experiment, portions: Mapping[str, Portion], preprocessing: Mapping[str, Any]) -> list[str]:
    """What a person should know before training: what augmentations may do to labels, what the model will not see."""
    verbs = modality_of(experiment)
    verbs.check_pipeline(verbs.pipeline(experiment.augment, preprocessing))
    found = list(verbs.hazards(experiment.augment, portions["train"].task))
    found += [*label_check.cautions(experiment, portions["train"]), *unlike_asked(experiment.data, portions)]
    if experiment.unfreeze == "auto":
        found.append("what learns is chosen when training begins (unfreeze: auto)")
    found += unused_rows(portions)
    batch = experiment.data.batch_size * experiment.train.accumulate
    if batch > len(portions["train"]):
        found.append(
            f"a batch of {batch:,} is larger than the {len(portions['train']):,} training samples: an epoch is one step"
        )
    train = portions["train"].samples
    for purpose, portion in portions.items():
        if portion.samples is not train and portion.samples.fingerprint == train.fingerprint:
            found.append(f"{purpose}: the same data as train, so what is measured says nothing of new samples")
        elif shared := shared_samples(portion, portions["train"]):
            found.append(f"{purpose}: {shared}")
        if purpose != "test":
            sizes = sizes_of(experiment, portion, preprocessing)
            pipeline = verbs.pipeline(experiment.augment if purpose == "train" else (), preprocessing)
            found += [f"{purpose}: {said}" for said in verbs.cautions(portion.samples, portion.ids, sizes, pipeline)]
    return found


def _random_layers(experiment: Experiment, backbone: Backbone, plan: Plan) -> list[str]:
    """A caution where layers that start at random never learn."""
    if experiment.backbone.settings.get("weights") != "none":
        return []
    parameters = dict(backbone.network.named_parameters())
    learning = {name for group in plan.groups for name in group.names}
    frozen = sum(tensor.numel() for name, tensor in parameters.items() if name not in learning)
    if not frozen:
        return []
    total = sum(tensor.numel() for tensor in parameters.values())
    text = f"{frozen:,} of {total:,} parameters start at random (weights: none) and never learn"
    return [f"{text}; use pretrained weights, or unfreeze: [all]"]


def _check_warmup(experiment: Experiment, length: Horizon) -> None:
    """Raise ExperimentError for a warm-up that training does not outlast: known only once the data is."""
    schedule = experiment.lr.schedule
    warmup = schedule.settings.get("warmup")
    if isinstance(warmup, Duration) and warmup.steps(length) >= length.total_steps:
        key = f"lr.schedule.{schedule.name}.warmup"
        text = f"{key} must end before training does ({length.total_steps} steps); got {warmup}"
        raise ExperimentError(Problem(text, schedule.place))


def parameter_groups(network: nn.Module, plan: Plan, peak: float) -> list[dict[str, Any]]:
    """What the optimizer is given: every parameter that ever learns, from the start."""
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
