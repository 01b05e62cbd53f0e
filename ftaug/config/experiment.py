"""The experiment file as dataclasses: sections, settings and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from ftaug.config.registry import Component, FrozenDict
from ftaug.config.schema import OfKind
from ftaug.config.types import (
    Count,
    CountOrZero,
    Duration,
    FilePath,
    Fraction,
    NonNegative,
    Plugin,
    Positive,
    Probability,
    Quotient,
    RunName,
    Text,
    TimeLimit,
    Wording,
)
from ftaug.errors import Place


class Placed:
    """Base class of values with a source place, which is ignored in comparisons."""

    place: Place | None = None  # not a field, for this is no dataclass


Dataset = Annotated[Component, OfKind("dataset")]


@dataclass(frozen=True)
class Split:
    """A random split of the training set, stratified by class; groups are not divided, and the seed selects it.

    Samples are ranked by a hash of their identity, so that adding or removing one moves hardly any other.

    Settings:
        split: the share (0.2 or 20%) or the number of samples (300)
    """

    split: Count | Fraction


@dataclass(frozen=True)
class Fold:
    """One fold of the training set for cross-validation; `ftaug train --folds` trains all folds.

    Settings:
        fold: the number of the fold, from 1
        of: the number of folds
    """

    fold: Count
    of: Count


@dataclass(frozen=True)
class SkipBadSamples:
    """The maximum of unreadable samples to skip, over train, val and test together.

    Settings:
        skip: the share (0.05 or 5%) or the number of samples (20)
    """

    skip: Count | Fraction


@dataclass(frozen=True)
class ShardWindows:
    """An order of training samples by shards, in random order within windows.

    Settings:
        window: samples that are drawn in random order together: more are mixed better, and read from more places
    """

    window: Count


@dataclass(frozen=True)
class Data:
    """Datasets, batches and data loading.

    Settings:
        train: the training samples
        val: the validation samples, which choose the best checkpoint: `{split: 20%}` or `{fold: 1, of: 5}` of train, a
            separate dataset, or null
        test: the test samples: a separate dataset, a split of train, or null
        pseudo_labels: a dataset of samples with predicted labels, such as a table of `ftaug pseudo-label`; they are
            added to the training samples after val and test are split off, and an epoch visits as many samples as
            without them, so that training takes as many steps
        split_seed: the seed that draws the splits of train; that of the experiment unless set, so that runs that differ
            by their seed differ by their validation samples too
        confirmation: the share of the validation samples that is held out, by a hash of their identity: they choose no
            checkpoint, and `ftaug search` confirms its result on them; none unless set
        batch_size: samples per batch in training
        parts: the number of parts that a step is split into, a power of two: each has a gradient of its own, and
            BatchNorm sees a part at a time. The result has the same bits for any number of processes that divides it;
            `auto` is the number of processes
        order: the order of the training samples in an epoch: `random`, or `shards` for disks that seek badly and
            compressed Parquet files: shards in random order, and windows of 1000 samples in random order within;
            `{window: 5000}` sets another size
        sampler: how often each class is drawn in an epoch; by default each sample once
        workers: processes that read and augment; `auto` chooses by the machine
        cache: where decoded samples are stored: `ram`, until the run ends; `disk`, for later runs too; `auto`, where
            there is room; results do not change
        augment_device: where geometric and color transforms are computed; `cuda` relieves the workers and differs by
            rounding only; `auto` chooses by the machine
        bucket: texts of similar length are batched together, within this many steps of the random order; 1 keeps the
            random order; `auto` is 16, or a quarter of the epoch if that is less
        batch_tokens: the maximum number of tokens of a micro-batch in training, padding included; micro-batches hold
            texts of similar length; `auto` splits batches on a CPU if that saves more padding than it costs, but not
            with a mix or an objective; null does not split
        bad_samples: whether unreadable samples are an error, or are skipped: `skip`, up to 1% of them, or
            `{skip: 5%}`; all samples are then read once before training, and the same ones are skipped in every epoch
            and by every command after training
    """

    train: Dataset
    val: Split | Fold | Dataset | None = Split(0.2)
    test: Split | Dataset | None = None
    pseudo_labels: Dataset | None = None
    split_seed: CountOrZero | None = None
    confirmation: Fraction | None = None
    batch_size: Count = 32
    parts: Count | Literal["auto"] = "auto"
    order: Literal["random", "shards"] | ShardWindows = "random"
    sampler: Annotated[Component, OfKind("sampler")] | None = None
    workers: CountOrZero | Literal["auto"] = "auto"
    cache: Literal["ram", "disk", "auto"] | None = None
    augment_device: Literal["auto", "cpu", "cuda"] = "auto"
    bucket: Count | Literal["auto"] = "auto"
    batch_tokens: Count | Literal["auto"] | None = "auto"
    bad_samples: Literal["error", "skip"] | SkipBadSamples = "error"


@dataclass(frozen=True)
class Last:
    """The last stages of a network, head included; layers behind the last block, such as a norm, count with the head.

    Settings:
        last: the number of stages
    """

    last: Count


@dataclass(frozen=True)
class UnfreezeStage:
    """Layers to unfreeze at a point in training.

    Settings:
        layers: stage names, patterns of module names, `last: 2`, `all`, `norms` or `biases`
        from: when they are unfrozen: 0, 20%, 2 epochs or 300 steps
        lr: factor of the peak rate for these layers, also for those already trained; unless set 1 for newly unfrozen
            layers, and no change for the others
    """

    layers: tuple[Text | Last, ...]
    from_: Duration = Duration(0, "steps")
    lr: Positive | None = None


@dataclass(frozen=True)
class LearningRate:
    """The learning rate: its peak, its schedule, and factors by layer.

    Settings:
        peak: the highest rate
        schedule: the learning rate schedule
        layer_decay: each stage has this factor times the rate of the next one; layers behind the last block, such as a
            norm, have the rate of the head
        stages: factors of the peak rate, by stage name or pattern of module names
    """

    peak: Positive = 1e-3
    schedule: Annotated[Component, OfKind("schedule")] = "cosine"  # type: ignore[assignment]
    layer_decay: Fraction = 1.0
    stages: Mapping[str, Positive] = field(default_factory=FrozenDict)


@dataclass(frozen=True)
class EarlyStop:
    """Stop when the best metric has not improved for a number of evaluations.

    Settings:
        patience: evaluations without improvement before training stops
        min_delta: how much the score must rise above the last improvement to count as one, as the threshold of
            `plateau`; a score that is not finite never counts
    """

    patience: Count
    min_delta: NonNegative = 0.0


@dataclass(frozen=True)
class CacheFeatures:
    """Storage of the outputs of frozen layers, on which the rest of the network is trained.

    Settings:
        views: the number of augmented views stored per sample; epochs use them in turn
        place: where they are stored: `ram`, until the run ends; `disk`, for later runs too; `auto`, where there is
            room; results do not change
    """

    views: Count = 8
    place: Literal["ram", "disk", "auto"] = "auto"


@dataclass(frozen=True)
class Distillation(Placed):
    """Knowledge distillation: the loss is (1 − weight) · loss of the labels + weight · divergence from the teacher.

    Settings:
        teacher: the run folder of the teacher, a model with the same classes or targets; its best checkpoint is used
        temperature: divides the logits of teacher and student; a higher one gives less likely classes more weight; 2
            unless set
        weight: the weight of the teacher against the labels, from 0 to 1
    """

    teacher: FilePath
    temperature: Positive | None = None
    weight: Probability = 0.5


@dataclass(frozen=True)
class SkipSteps:
    """The maximum of steps to skip because their loss or gradient is not finite.

    Settings:
        skip: the share of the steps (0.02 or 2%) or their number (20)
    """

    skip: Count | Fraction


@dataclass(frozen=True)
class RollBack:
    """The maximum of times to roll back because a loss or gradient is not finite.

    Settings:
        rollback: the number of times
    """

    rollback: Count


@dataclass(frozen=True)
class Train:
    """Length, precision and memory of training, weight averaging and checkpoints.

    Settings:
        epochs: passes over the training samples
        precision: the precision of the forward pass; `auto` chooses by the device
        gradient_accumulation: batches per optimizer step
        micro_batch: samples per forward pass; a larger batch is split, and gradients are accumulated; `auto` is the
            whole batch if it fits into memory
        clip_norm: the maximum norm of the gradient; larger gradients are scaled down
        decay_norms: whether weight decay also applies to norms, biases and other one-dimensional parameters; it never
            applies to position and class embeddings
        ema: decay per step of an exponential moving average of the weights, which favors recent steps; the average is
            then evaluated and saved
        swa: the point, such as 75%, from which on the weights of all steps are averaged equally; the average is then
            evaluated, with recomputed BatchNorm statistics, and saved
        early_stop: stop when the best metric no longer improves
        max_time: stop with a checkpoint after this wall-clock time: minutes (90), with units (90s, 30m, 3h30m), hours
            and minutes (1:30), or as Slurm prints it (1:00:00, 1-12:00:00)
        mix_until: when mixing ends, such as 80%; the rest of training uses unmixed samples
        cache_features: store the outputs of frozen layers and train only the rest on them: with a number of augmented
            `views` per sample, or `auto`, 8 views if that is possible
        gradient_checkpointing: whether blocks are recomputed in the backward pass instead of stored: much less memory
            for about a third more time
        compile: whether to use torch.compile; it takes minutes at the start
        shard: whether processes share weights, gradients, optimizer state and averages (FSDP), each holding a part of
            them: less memory, more communication
        sync_batchnorm: whether BatchNorm that is trained normalizes over the samples of all processes instead of those
            of each
        save_every: how often to write a checkpoint in addition to those of the evaluations
        on_nonfinite: what to do if the loss or the gradient of a step is not a finite number; the step is never
            applied. `stop` ends with exit code 3; `skip` leaves out up to 1% of the steps, or `{skip: 20}`; `rollback`
            returns to the weights of the last evaluation, up to 3 times, or `{rollback: 5}`
    """

    epochs: Count = 10
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    gradient_accumulation: Count = 1
    micro_batch: Count | Literal["auto"] = "auto"
    clip_norm: Positive | None = None
    decay_norms: bool = False
    ema: Probability | None = None
    swa: Duration | None = None
    early_stop: EarlyStop | None = None
    max_time: TimeLimit | None = None
    save_every: Duration | None = None
    mix_until: Duration | None = None
    cache_features: CacheFeatures | Literal["auto"] | None = None
    gradient_checkpointing: bool = False
    compile: bool = False
    shard: bool = False
    sync_batchnorm: bool = False
    on_nonfinite: Literal["stop", "skip", "rollback"] | SkipSteps | RollBack = "stop"


Side = Annotated[int, Field(ge=1, le=16384), Wording("a number of pixels of 1 or more")]
Sides = Annotated[Side | tuple[Side, Side], Wording("a side in pixels, or [height, width]")]


@dataclass(frozen=True)
class ModelInput(Placed):
    """The input size and the resizing of images, in training and evaluation.

    Settings:
        size: a side in pixels, or [height, width]; as the weights expect unless set
        resize: the length in pixels to which evaluation resizes the shorter side before the center crop; unless set, in
            the proportion to the size that the weights expect
        interpolation: the interpolation of the resize; as the weights expect unless set
        train_size: the size in training if it differs from that in evaluation (FixRes, Touvron et al. 2019)
    """

    size: Sides | None = None
    resize: Side | None = None
    interpolation: Literal["bilinear", "bicubic", "nearest"] | None = None
    train_size: Sides | None = None


WEIGHTS_INPUT = ModelInput()
"""What the weights expect."""


@dataclass(frozen=True)
class Evaluate:
    """Evaluation: metrics, how often they are computed, and the choice of the best checkpoint.

    Settings:
        every: how often to evaluate on the validation samples during training
        metrics: the metrics to compute; unless set accuracy, with several labels per sample average_precision and micro
            f1, in regression rmse and mae
        best: the metric, or `loss`, that chooses the best checkpoint, ties by the lower loss; the first metric unless
            set; without `metrics` it is the only one computed
        batch_size: samples per forward pass in evaluation; as in training unless set
        tta: test-time augmentation, averaging predictions over several views of each sample: `flip`, also flipped;
            `five_crop`, the corners and the center; `ten_crop`, these also flipped; the center crop unless set
        thresholds: with several labels per sample, `f1` chooses for each label the threshold with the best F1 on
            validation after training; 1/2 unless set
        precision: the precision of evaluation, predictions and thresholds; `auto` chooses by the device, as
            `train.precision` does; exports compute in fp32
    """

    every: Duration = Duration(1, "epochs")
    metrics: tuple[Annotated[Component, OfKind("metric")], ...] = ("accuracy",)  # type: ignore[assignment]
    best: Text = "accuracy"
    batch_size: Count | None = None
    tta: Literal["flip", "five_crop", "ten_crop"] | None = None
    thresholds: Literal["f1"] | None = None
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "fp32"


@dataclass(frozen=True)
class Ladder:
    """Successive halving: all trials train for a short schedule, and the best of them again for longer ones.

    Each step is a complete training whose schedule is as long as the step, so that its end is comparable.

    Settings:
        steps: the lengths of the steps as shares of `train.epochs`, ascending to 100%
        keep: the share of the trials that continues with the next step
    """

    steps: tuple[Fraction, ...] = (0.1, 0.3, 1.0)
    keep: Quotient = 1 / 3


@dataclass(frozen=True)
class Confirm:
    """The comparison of the best trials with the experiment without the search, on samples that no trial has seen.

    Settings:
        finalists: the number of best trials that are trained again
        seeds: the number of seeds that each of them, and the unsearched experiment, is trained with
    """

    finalists: Count = 3
    seeds: Count = 5


@dataclass(frozen=True)
class Search(Placed):
    """Settings of `ftaug search`, which tries values of the search spaces in the file; no other command reads them.

    Settings:
        trials: the number of combinations of values to try
        sampler: how values are proposed: `sobol`, evenly; `random`; `grid`, every combination of listed values and
            whole numbers; `tpe` and `gp` by the results so far; `cma_es` likewise, for numbers alone. The last three
            need the extra `search`
        seeds: the number of seeds that each combination is trained with; their mean counts
        budget: start no further trials after this wall-clock time of the command, in the format of `train.max_time`
        ladder: train all trials for a short time first, and only the best for longer
        best: the metric, or `loss`, that chooses the best trial; that of `evaluate.best` unless set
        confirm: how the best trials are compared with the unsearched experiment; null for no comparison
    """

    trials: Count = 30
    sampler: Literal["sobol", "random", "grid", "tpe", "gp", "cma_es"] = "sobol"
    seeds: Count = 1
    budget: TimeLimit | None = None
    ladder: Ladder | None = None
    best: Text | None = None
    confirm: Confirm | None = Confirm()


@dataclass(frozen=True)
class Experiment:
    """A complete experiment: every default filled in.

    Settings:
        data: datasets, batches and data loading
        backbone: the network
        input: the input size and resizing of images; as the weights expect unless set
        name: the name in the run folder's name; the file's name unless set
        seed: the random seed: equal seeds give equal runs
        plugins: files beside this one, or modules, that register components of your own
        modality: the kind of samples: image, text or audio
        unfreeze: the layers to train: stage names, patterns of module names, `last: 2`, `all`, `norms`, `biases`; or a
            schedule; or `auto`, the stages whose gradients are strongest for their size; unless set `all`, and the head
            with a method that adds weights
        head_init: the initialization of the last layer of a new head on pretrained layers: `prior`, zero weights and
            the bias that fits the training labels best (their class frequencies); `library`, that of the network's
            library
        method: the fine-tuning method, such as lora; unless set the weights themselves are trained freely
        augment: the augmentations of training samples, in this order
        mix: the augmentation that mixes the samples of a step
        loss: the training loss; unless set cross_entropy, with several labels per sample binary_cross_entropy, in
            regression mse
        objective: an additional loss that compares several views of each sample
        distillation: knowledge distillation from the model of another run
        optimizer: the optimizer
        lr: the learning rate
        train: length, precision and memory of training, weight averaging and checkpoints
        evaluate: metrics, how often they are computed, and the choice of the best checkpoint
        loggers: where figures and plots are logged besides the run folder, such as tensorboard
        search: settings of `ftaug search`, which tries values of the search spaces in the file
    """

    data: Data
    backbone: Annotated[Component, OfKind("backbone")]
    name: RunName = "experiment"
    seed: CountOrZero = 0
    plugins: tuple[Plugin, ...] = ()
    modality: Literal["image", "text", "audio"] = "image"
    input: ModelInput = field(default_factory=ModelInput)
    unfreeze: tuple[Text | Last | UnfreezeStage, ...] | Literal["auto"] = ("all",)
    head_init: Literal["prior", "library"] = "prior"
    method: Annotated[Component, OfKind("method")] | None = None
    augment: tuple[Annotated[Component, OfKind("augmentation")], ...] = ()
    mix: Annotated[Component, OfKind("mix")] | None = None
    loss: Annotated[Component, OfKind("loss")] = "cross_entropy"  # type: ignore[assignment]
    objective: Annotated[Component, OfKind("objective")] | None = None
    distillation: Distillation | None = None
    optimizer: Annotated[Component, OfKind("optimizer")] = "adamw"  # type: ignore[assignment]
    lr: LearningRate = field(default_factory=LearningRate)
    train: Train = field(default_factory=Train)
    evaluate: Evaluate = field(default_factory=Evaluate)
    loggers: tuple[Annotated[Component, OfKind("logger")], ...] = ()
    search: Search | None = None
