"""Consistency checks of training: which layers learn when, how, and for how long."""

from __future__ import annotations

from ftaug.config.checks import Found, reads
from ftaug.config.experiment import Experiment, UnfreezeStage
from ftaug.config.problems import predicate
from ftaug.config.types import Duration


@reads("lr.schedule", "train.epochs")
def _warmup_ends(experiment: Experiment) -> Found:
    schedule = experiment.lr.schedule
    warmup = schedule.settings.get("warmup")
    if isinstance(warmup, Duration) and _reaches_end(warmup, experiment.train.epochs):
        where = ("lr", "schedule", schedule.name, "warmup")
        yield where, predicate(f"must end before the end of training ({_epochs(experiment)}); got {warmup}")


@reads("unfreeze", "train.epochs")
def _unfreeze_plan_is_one(experiment: Experiment) -> Found:
    plan = experiment.unfreeze
    if plan == "auto":
        return
    if not plan:
        yield ("unfreeze",), predicate("must name at least one layer; got an empty list")
    stages = [(index, item) for index, item in enumerate(plan) if isinstance(item, UnfreezeStage)]
    if stages and len(stages) < len(plan):
        index = next(index for index, item in enumerate(plan) if not isinstance(item, UnfreezeStage))
        yield (
            ("unfreeze", index),
            predicate(f"is a name among stages; write it as a stage: {{layers: [{plan[index]}]}}"),
        )
    elif stages and all(stage.from_.amount > 0 for _, stage in stages):
        yield (
            ("unfreeze", 0, "from"),
            predicate(f"must be 0 in one of the stages, or nothing is trained at first; got {stages[0][1].from_}"),
        )
    for index, stage in stages:
        if not stage.layers:
            yield ("unfreeze", index, "layers"), predicate("must name at least one layer; got an empty list")
        if _reaches_end(stage.from_, experiment.train.epochs):
            yield (
                ("unfreeze", index, "from"),
                predicate(f"must come before the end of training ({_epochs(experiment)}); got {stage.from_}"),
            )
    if "all" in plan and len(plan) > 1:
        yield ("unfreeze", plan.index("all")), predicate("covers every layer, so the other names have no effect")


@reads("unfreeze", "method")
def _auto_has_a_choice(experiment: Experiment) -> Found:
    method = experiment.method
    if experiment.unfreeze == "auto" and method is not None and method.fact("learns") != "all":
        text = f"auto chooses stages to train in full, but method {method.name} freezes them; leave one out"
        yield ("unfreeze",), predicate(text)


@reads("method", "optimizer", "train.decay_norms")
def _weight_decay_has_an_effect(experiment: Experiment) -> Found:
    method, optimizer = experiment.method, experiment.optimizer
    if method is None or not method.fact("replaces_decay"):
        return
    default = optimizer.entry.settings()["weight_decay"].default if "weight_decay" in optimizer.settings else 0.0
    if (weight_decay := optimizer.settings.get("weight_decay", 0.0)) not in (0.0, default):
        where = ("optimizer", optimizer.name, "weight_decay")
        yield (
            where,
            predicate(f"has no effect with method {method.name}, which replaces it; got {weight_decay:g}"),
        )
    if experiment.train.decay_norms:
        yield ("train", "decay_norms"), predicate(f"has no effect with method {method.name}; leave it out")


@reads("train.cache_features", "mix", "objective", "distillation", "data.sampler", "unfreeze")
def _features_can_be_stored(experiment: Experiment) -> Found:
    if experiment.train.cache_features is None:
        return
    where = ("train", "cache_features")
    if experiment.mix is not None:
        yield where, predicate(f"stores what single samples give, and mix: {experiment.mix.name} blends them; drop one")
    if experiment.objective is not None:
        name = experiment.objective.name
        yield where, predicate(f"stores one view of a sample at a time, and objective: {name} needs more; drop one")
    if experiment.distillation is not None:
        yield (
            where,
            predicate("stores what this network gives, and distillation: the teacher looks at the samples; drop one"),
        )
    if experiment.data.sampler is not None:
        yield where, predicate("stores one view of a sample an epoch, and data.sampler draws some twice; drop one")
    if experiment.unfreeze and experiment.unfreeze[0] == "all":
        yield (
            where,
            predicate("stores what frozen layers give, and unfreeze is all; name fewer, or leave it out"),
        )


@reads("train")
def _the_network_is_called_as_a_whole(experiment: Experiment) -> Found:
    train = experiment.train
    for key in ("gradient_checkpointing", "compile"):
        if getattr(train, key) and train.cache_features is not None:
            text = "applies to the whole network, but train.cache_features runs only a part of it; leave one out"
            yield ("train", key), predicate(text)
    if train.compile and train.gradient_checkpointing:
        yield ("train", "compile"), predicate("and gradient_checkpointing cannot be combined; leave one out")


@reads("train.micro_batch", "data.batch_size")
def _parts_are_smaller(experiment: Experiment) -> Found:
    micro, batch = experiment.train.micro_batch, experiment.data.batch_size
    if micro != "auto" and micro > batch:
        yield ("train", "micro_batch"), predicate(f"must be at most data.batch_size, {batch}; got {micro}")


@reads("train.ema", "train.swa", "train.epochs")
def _weights_are_averaged_once(experiment: Experiment) -> Found:
    swa = experiment.train.swa
    if swa is None:
        return
    if experiment.train.ema is not None:
        yield ("train", "swa"), predicate("and train.ema both average the weights; leave one out")
    if _reaches_end(swa, experiment.train.epochs):
        yield ("train", "swa"), predicate(f"must begin before training ends ({_epochs(experiment)}); got {swa}")


@reads("data.val", "train.early_stop")
def _early_stop_can_measure(experiment: Experiment) -> Found:
    if experiment.data.val is None and experiment.train.early_stop:
        yield ("train", "early_stop"), predicate("needs validation samples; set data.val")


@reads("data.val", "lr.schedule")
def _plateau_can_measure(experiment: Experiment) -> Found:
    if experiment.data.val is None and experiment.lr.schedule.name == "plateau":
        yield ("lr", "schedule"), predicate("plateau needs validation samples; set data.val")


def _reaches_end(duration: Duration, epochs: int) -> bool:
    """Whether a duration is as long as training, as far as that is known before the data is."""
    return {"%": duration.amount >= 100, "epochs": duration.amount >= epochs, "steps": False}[duration.unit]


def _epochs(experiment: Experiment) -> str:
    return str(Duration(experiment.train.epochs, "epochs"))
