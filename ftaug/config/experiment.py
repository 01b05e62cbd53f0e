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
    """Samples taken out of the training set: stratified by class, never parting a group, chosen by the seed.

    A hash of what identifies each sample ranks them: a sample that is added or removed moves hardly any other.

    Settings:
        split: the share (0.2 or 20%) or the number of samples (300)
    """

    split: Count | Fraction


@dataclass(frozen=True)
class Fold:
    """One of the equal parts of the training set: `ftaug train --folds` takes each of them in turn.

    Settings:
        fold: which, from 1
        of: how many there are
    """

    fold: Count
    of: Count


@dataclass(frozen=True)
class SkipBadSamples:
    """How many samples that cannot be read are left out at most, of all of train, val and test together.

    Settings:
        skip: the share (0.05 or 5%) or the number of samples (20)
    """

    skip: Count | Fraction


@dataclass(frozen=True)
class Data:
    """Where samples come from and how they are batched.

    Settings:
        train: the samples to learn from
        val: the samples to choose the best checkpoint by: `{split: 20%}` or `{fold: 1, of: 5}` of train, a dataset of
            its own, or null
        test: the samples for the final figures: a dataset of its own, a split of train, or null
        batch_size: samples per forward pass in training
        sampler: how much of an epoch each class has; as much as it has of the samples unless set
        workers: processes that read and augment; `auto` chooses by the machine
        cache: where decoded samples are kept for the next epochs: `ram`, for the run; `disk`, for later runs too;
            `auto`, wherever there is room; it changes no result
        augment_device: where pictures are warped and recolored; `cuda` takes that off the workers and differs by
            rounding only; `auto` chooses by the machine
        bucket: texts of about the same length are batched together, chosen from so many steps of the random order;
            1 leaves that order; `auto`, 16, or a quarter of the epoch where that is less
        batch_tokens: the most tokens, padding included, that go through the network at once in training; a longer batch
            goes in parts of texts of similar length, with the same result; `auto`, on a CPU in parts wherever that
            spares more padding than it costs, unless a mix or an objective needs the whole batch; null, no bound
        bad_samples: whether samples that cannot be read are an error, or left out: `skip`, up to 1% of them, or
            `{skip: 5%}`; all samples are then read once before training, and the same are left out in every epoch
            and in every command after training
    """

    train: Dataset
    val: Split | Fold | Dataset | None = Split(0.2)
    test: Split | Dataset | None = None
    batch_size: Count = 32
    sampler: Annotated[Component, OfKind("sampler")] | None = None
    workers: CountOrZero | Literal["auto"] = "auto"
    cache: Literal["ram", "disk", "auto"] | None = None
    augment_device: Literal["auto", "cpu", "cuda"] = "auto"
    bucket: Count | Literal["auto"] = "auto"
    batch_tokens: Count | Literal["auto"] | None = "auto"
    bad_samples: Literal["error", "skip"] | SkipBadSamples = "error"


@dataclass(frozen=True)
class Last:
    """The last stages of a network, its head included; what is behind the last block, such as a norm, counts with it.

    Settings:
        last: how many
    """

    last: Count


@dataclass(frozen=True)
class UnfreezeStage:
    """From a point in training on, these layers learn too.

    Settings:
        layers: stage names, globs on module names, `last: 2`, `all`, `norms` or `biases`
        from: when they start: 0, 20%, 2 epochs or 300 steps
        lr: factor of the peak rate, from then on also for those of the layers that learn already; otherwise 1 for
            layers that start here, and no change for the others
    """

    layers: tuple[Text | Last, ...]
    from_: Duration = Duration(0, "steps")
    lr: Positive | None = None


@dataclass(frozen=True)
class LearningRate:
    """The learning rate: a peak, its course over the run, and factors for parts of the network.

    Settings:
        peak: the highest rate
        schedule: the course over the run
        layer_decay: each stage's rate is this times the next one's, from the head down; what is behind the last block,
            such as a norm, has the head's
        stages: factors of the peak, by stage name or glob on module names
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
    """What the frozen part of a network gives is stored, and epochs run on the rest of it alone.

    Settings:
        views: how many augmented views of each sample are stored; epochs take them in turn
        place: where: `ram`, for the run; `disk`, for later runs too; `auto`, wherever there is room; it changes no
            result
    """

    views: Count = 8
    place: Literal["ram", "disk", "auto"] = "auto"


@dataclass(frozen=True)
class Distillation(Placed):
    """Learning from another model's answers beside the labels: (1 − weight) · loss + weight · distance to the teacher.

    Settings:
        teacher: the run folder of a model for the same classes or numbers; its best weights answer, and do not learn
        temperature: by how much the logits of both are divided before they are compared: the higher, the more the
            classes that are not likeliest count; 2 unless set
        weight: how much the teacher counts, from 0 to 1, against the labels
    """

    teacher: FilePath
    temperature: Positive | None = None
    weight: Probability = 0.5


@dataclass(frozen=True)
class Train:
    """How long and with which numerics.

    Settings:
        epochs: passes over the training samples
        precision: the arithmetic of the forward pass; `auto` chooses by the device
        gradient_accumulation: batches per optimizer step
        micro_batch: samples that go through the network at once; a batch of more goes in parts, whose gradients are
            added up; `auto`, the whole batch where memory holds it
        clip_norm: the largest norm of the gradient; longer ones are scaled down to it
        decay_norms: whether weight decay applies to norms and biases too, all that is one-dimensional; it never
            applies to embeddings of positions and of the class token
        ema: decay per step of an exponential moving average of the weights, which favors recent steps; the average is
            then evaluated and saved
        swa: the point, such as 75%, from which on the weights of all steps are averaged equally; the average is then
            evaluated, with recomputed BatchNorm statistics, and saved
        early_stop: stop when the best metric no longer improves
        max_time: stop with a checkpoint after this wall-clock time: minutes (90), with units (90s, 30m, 3h30m), hours
            and minutes (1:30), or as Slurm prints it (1:00:00, 1-12:00:00)
        mix_until: when mixing ends, such as 80%; the rest of training sees whole pictures
        cache_features: whether what the frozen part of the network gives is stored, so that epochs run on the rest
            alone: in so many augmented `views` of each sample, or `auto`, 8 of them where that can be
        gradient_checkpointing: whether blocks are recomputed in the backward pass instead of stored: much less memory
            for about a third more time
        compile: whether PyTorch's compiler makes the network faster; it takes minutes at the start
        tensorboard: whether to write TensorBoard's event files into the run folder too
        save_every: how often to write a checkpoint beside those of the evaluations
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
    tensorboard: bool = False


Side = Annotated[int, Field(ge=1, le=16384), Wording("a number of pixels of 1 or more")]
Sides = Annotated[Side | tuple[Side, Side], Wording("a side in pixels, or [height, width]")]


@dataclass(frozen=True)
class ModelInput(Placed):
    """The pictures that the network takes, in training and afterwards.

    Settings:
        size: a side in pixels, or [height, width]; as the weights expect unless set
        resize: the shorter side, in pixels, that a picture has before evaluation cuts out its center; unless set, as
            much larger than the size as the weights expect
        interpolation: how pictures are resized; as the weights expect unless set
        train_size: the size in training, where it is to differ from that in evaluation (FixRes, Touvron et al. 2019)
    """

    size: Sides | None = None
    resize: Side | None = None
    interpolation: Literal["bilinear", "bicubic", "nearest"] | None = None
    train_size: Sides | None = None


WEIGHTS_INPUT = ModelInput()
"""What the weights expect."""


@dataclass(frozen=True)
class Evaluate:
    """What is measured, when, and which value chooses the best checkpoint.

    Settings:
        every: how often the validation samples are measured during training
        metrics: what is measured; unless set accuracy, with several labels a sample average_precision and micro f1,
            with numbers rmse and mae
        best: the metric, or `loss`, that chooses the best checkpoint, ties by the lower loss; the first metric unless
            set; without `metrics` it is the one that is measured
        batch_size: samples per forward pass when measuring; as in training unless set
        tta: test-time augmentation, predictions averaged over several views of each sample: `flip`, also mirrored;
            `five_crop`, the corners and the center; `ten_crop`, these mirrored too; the center alone unless set
        thresholds: with several labels a sample, `f1` predicts each above the threshold of the best F1 on validation,
            found after training; above 1/2 unless set
        precision: the arithmetic of evaluation, predictions and thresholds; `auto` chooses by the device, as
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
class Experiment:
    """One experiment file, complete: every default filled in.

    Settings:
        data: where samples come from and how they are batched
        backbone: the network
        input: the pictures that the network takes; as its weights expect unless set
        name: names the run folder; the file's name unless set
        seed: another seed, another run; the same seed, the same run
        plugins: files beside this one, or modules, that register components of your own
        modality: what kind of sample it is: image or text
        unfreeze: what learns: stage names, globs on module names, `last: 2`, `all`, `norms`, `biases`; or stages; or
            `auto`, the stages whose gradients are strongest for their size; unless set `all`, with a method that adds
            weights of its own the head
        head_init: how the last layer of a new head on pretrained layers starts: `prior`, with zero weights and the bias
            that fits the training labels best (their class frequencies); `library`, as the network's library has it
        method: how it learns, where not every weight that learns is free to go anywhere
        augment: what happens to each training sample, in this order
        mix: what happens to each training batch
        loss: the training loss; unless set cross_entropy, with several labels a sample binary_cross_entropy,
            with numbers mse
        objective: an additional loss that compares several views of each sample
        distillation: a model to learn from beside the labels
        optimizer: what turns gradients into steps
        lr: the learning rate
        train: how long and with which numerics
        evaluate: what is measured, when, and what chooses the best checkpoint
    """

    data: Data
    backbone: Annotated[Component, OfKind("backbone")]
    name: RunName = "experiment"
    seed: CountOrZero = 0
    plugins: tuple[Plugin, ...] = ()
    modality: Literal["image", "text"] = "image"
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
