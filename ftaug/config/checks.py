"""Consistency checks across settings: each contradiction is an error, as a setting would have no effect."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator

from ftaug.config.experiment import Experiment, Fold, Split, UnfreezeStage
from ftaug.config.modalities import WITHOUT_EFFECT
from ftaug.config.problems import PartialProblem, predicate
from ftaug.config.registry import Component, nested
from ftaug.config.task_fit import TARGETS, labels_learned, misfits, possible_tasks, tasks_of
from ftaug.config.types import Duration
from ftaug.config.yaml_document import Where
from ftaug.errors import ExperimentError, one_of

Found = Iterator[tuple[Where, PartialProblem]]
Check = Callable[[Experiment], Found]

CHECKS: list[tuple[tuple[Where, ...], Check]] = []
"""Each check with the parts of the experiment that it reads."""


def reads(*parts: str) -> Callable[[Check], Check]:
    """Register a check and the settings it reads; it is skipped if one of them is invalid."""

    def add(check: Check) -> Check:
        CHECKS.append((tuple(tuple(part.split(".")) for part in parts), check))
        return check

    return add


def check(experiment: Experiment, faulty: Iterable[Where] = ()) -> Found:
    """Run all checks whose settings are valid."""
    spoilt = set(faulty)
    around = {where[:end] for where in spoilt for end in range(len(where) + 1)}
    for parts, look in CHECKS:
        within = any(part[:end] in spoilt for part in parts for end in range(len(part) + 1))
        if not within and around.isdisjoint(parts):
            yield from look(experiment)


def _fit_the_task(part: Where, experiment: Experiment) -> Found:
    for misfit in misfits(experiment, tasks_of(experiment)):
        if misfit.where[: len(part)] == part:
            yield misfit.where, PartialProblem(misfit.message, "", "nothing", place=misfit.place)


for _part in ("loss", "objective", "data.sampler", "evaluate.metrics", "evaluate.thresholds", "mix", "distillation"):
    reads("data.train", _part)(functools.partial(_fit_the_task, tuple(_part.split("."))))


def _settings_of_dataset_go_together(purpose: str, experiment: Experiment) -> Found:
    dataset = getattr(experiment.data, purpose)
    if isinstance(dataset, Component):
        try:
            possible_tasks(dataset)
        except ExperimentError as error:
            where = ("data", purpose, dataset.name)
            yield from (
                (where, PartialProblem(problem.message, "", "nothing", at_key=True)) for problem in error.problems
            )


for _purpose in ("train", "val", "test", "pseudo_labels"):
    reads(f"data.{_purpose}")(functools.partial(_settings_of_dataset_go_together, _purpose))


@reads("data")
def _splits_have_one_task(experiment: Experiment) -> Found:
    kinds = tasks_of(experiment)
    for purpose in ("val", "test", "pseudo_labels"):
        dataset = getattr(experiment.data, purpose)
        if isinstance(dataset, Component):
            theirs = tasks_of(dataclasses.replace(experiment, data=dataclasses.replace(experiment.data, train=dataset)))
            if not set(theirs) & set(kinds):
                there, here = (one_of([TARGETS[kind] for kind in some]) for some in (theirs, kinds))
                yield ("data", purpose), predicate(f"has {there}, but data.train has {here}")


@reads("evaluate.metrics", "evaluate.best")
def _best_is_measured(experiment: Experiment) -> Found:
    metrics = [metric.name for metric in experiment.evaluate.metrics]
    if experiment.evaluate.best not in (*metrics, "loss"):
        measured = one_of([*metrics, "loss"])
        yield (
            ("evaluate", "best"),
            predicate(f"must be one of the metrics, {measured}; got {experiment.evaluate.best}"),
        )


@reads("evaluate.metrics", "search")
def _search_chooses_by_what_is_measured(experiment: Experiment) -> Found:
    best = experiment.search and experiment.search.best
    measured = [*(metric.name for metric in experiment.evaluate.metrics), "loss"]
    if best is not None and best not in measured:
        yield ("search", "best"), predicate(f"must be one of the metrics, {one_of(measured)}; got {best}")


@reads("search")
def _ladder_ascends(experiment: Experiment) -> Found:
    ladder = experiment.search and experiment.search.ladder
    steps = ladder.steps if ladder else (0.5, 1.0)
    if len(steps) < 2 or steps[-1] != 1 or list(steps) != sorted(set(steps)):
        yield ("search", "ladder", "steps"), predicate("must be two or more shares that ascend to 100%")


@reads("evaluate.metrics")
def _metrics_are_different(experiment: Experiment) -> Found:
    names = [metric.name for metric in experiment.evaluate.metrics]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield ("evaluate", "metrics", index), predicate(f"is a duplicate of {name}; list each metric once")


@reads("lr.schedule", "train.epochs")
def _warmup_ends(experiment: Experiment) -> Found:
    schedule = experiment.lr.schedule
    warmup = schedule.settings.get("warmup")
    if isinstance(warmup, Duration) and _reaches_end(warmup, experiment.train.epochs):
        where = ("lr", "schedule", schedule.name, "warmup")
        yield where, predicate(f"must end before the end of training ({_epochs(experiment)}); got {warmup}")


@reads("modality", "data", "train", "evaluate", "input")
def _settings_have_an_effect(experiment: Experiment) -> Found:
    for (section, key), why in WITHOUT_EFFECT.get(experiment.modality, {}).items():
        part = getattr(experiment, section)
        default = next(field.default for field in dataclasses.fields(part) if field.name == key)
        if getattr(part, key) != default:
            yield (section, key), predicate(f"has no effect for modality {experiment.modality}: {why}; leave it out")


@reads("mix", "loss")
def _loss_takes_mixed_targets(experiment: Experiment) -> Found:
    if experiment.mix and not experiment.loss.fact("soft_targets"):
        yield ("mix",), predicate(f"mixes targets, which the loss {experiment.loss.name} does not support; change one")


@reads("data", "loss", "augment")
def _soft_targets_are_supported(experiment: Experiment) -> Found:
    for purpose in ("train", "pseudo_labels"):
        dataset = getattr(experiment.data, purpose)
        if not isinstance(dataset, Component) or not dataset.settings.get("soft"):
            continue
        where = ("data", purpose, dataset.name, "soft")
        if not experiment.loss.fact("soft_targets"):
            yield where, predicate(f"needs a loss that supports soft targets, and {experiment.loss.name} does not")
        if any(op.settings.get("label_map") for _, op in nested(experiment.augment)):
            yield where, predicate("cannot be combined with label_map, which swaps single classes; leave one out")


@reads("objective", "mix", "augment")
def _views_differ(experiment: Experiment) -> Found:
    if experiment.objective is None:
        return
    if experiment.mix is not None:
        yield (
            ("objective",),
            predicate("and mix cannot be combined: mixed samples have no single class; leave one out"),
        )
    compared = experiment.objective.settings.get("augmented", 0)
    if (compared or experiment.objective.fact("unlabeled")) and not any(
        op.entry.facts.get("varies") for op in experiment.augment
    ):
        text = "compares views, but no augmentation makes them differ; add one, such as augmix"
        yield ("objective",), predicate(text)
    if experiment.objective.fact("views") > 1 and not experiment.augment:
        yield ("objective",), predicate("compares augmented views; set augment")


@reads("data.sampler", "loss")
def _imbalance_is_mended_once(experiment: Experiment) -> Found:
    sampler, loss = experiment.data.sampler, experiment.loss
    if sampler is None or sampler.name != "balanced":
        return
    mends = {"logit_adjusted": "logit_adjusted"}
    if loss.settings.get("class_weights") == "balanced":
        mends[loss.name] = f"{loss.name} with class_weights: balanced"
    if loss.name in mends:
        text = f"balanced leaves {mends[loss.name]} without effect: the sampled classes are balanced; leave one out"
        yield ("data", "sampler"), predicate(text)


@reads("data.order", "data.sampler")
def _samples_have_one_order(experiment: Experiment) -> Found:
    if experiment.data.order != "random" and experiment.data.sampler is not None:
        yield (
            ("data", "order"),
            predicate("cannot be combined with data.sampler, which has its own order; leave one out"),
        )


@reads("distillation", "objective")
def _one_thing_is_made_small(experiment: Experiment) -> Found:
    if experiment.distillation is not None and experiment.objective is not None:
        yield (
            ("distillation",),
            predicate("and objective cannot be combined: both define the training loss; leave one out"),
        )
    if experiment.distillation is not None and experiment.distillation.weight == 0:
        yield ("distillation", "weight"), predicate("must be greater than 0, or the teacher has no effect; got 0")


@reads("objective", "loss")
def _predictions_can_be_compared(experiment: Experiment) -> Found:
    if experiment.objective is None:
        return
    compares, activation = experiment.objective.fact("compares"), experiment.loss.fact("activation")
    if compares not in (None, activation):
        words = f"compares predictions by {compares}, but the loss {experiment.loss.name} uses {activation}; set loss"
        yield ("objective",), predicate(f"{words}, or leave it out")


@reads("objective", "data")
def _what_is_measured_is_learned(experiment: Experiment) -> Found:
    if experiment.objective is None or labels_learned(experiment):
        return
    for purpose in ("val", "test"):
        if getattr(experiment.data, purpose) is not None:
            text = f"must be null: the objective {experiment.objective.name} trains without labels; nothing to evaluate"
            yield ("data", purpose), predicate(text)


@reads("objective", "data")
def _samples_without_labels_are_used(experiment: Experiment) -> Found:
    objective, data = experiment.objective, experiment.data
    learns = labels_learned(experiment)
    takes = objective is not None and objective.fact("unlabeled")
    if data.unlabeled is not None and learns and not takes:
        text = (
            "has no effect: no objective trains on samples without labels; set objective: soft_match, or leave it out"
        )
        yield ("data", "unlabeled"), predicate(text)
    if objective is not None and takes and data.unlabeled is None:
        yield ("objective",), predicate(f"{objective.name} also trains on samples without labels; set data.unlabeled")
    for purpose in ("train", "val", "test", "pseudo_labels"):
        dataset = getattr(data, purpose)
        if not isinstance(dataset, Component) or not dataset.name or dataset.fact("labeled"):
            continue
        if purpose != "train":
            yield ("data", purpose), predicate(f"needs labels, and {dataset.name} has none; use it for data.unlabeled")
        elif learns:
            text = f"needs labels, and {dataset.name} has none; use it for data.unlabeled, or `ftaug pretrain`"
            yield ("data", purpose), predicate(text)


@reads("mix", "data.batch_size", "train.gradient_accumulation")
def _mix_has_partners(experiment: Experiment) -> Found:
    if experiment.mix is not None and experiment.data.batch_size * experiment.train.gradient_accumulation < 2:
        words = f"must be 2 or more: mix: {experiment.mix.name} mixes each sample with another of its step"
        yield ("data", "batch_size"), predicate(f"{words}; got 1")


@reads("data.parts", "data.batch_size", "train.gradient_accumulation", "mix")
def _parts_have_samples(experiment: Experiment) -> Found:
    parts, step = experiment.data.parts, experiment.data.batch_size * experiment.train.gradient_accumulation
    if isinstance(parts, str):
        return
    least = 1 if experiment.mix is None else 2
    if parts & (parts - 1):
        yield ("data", "parts"), predicate(f"must be a power of two: 1, 2, 4 …; got {parts}")
    elif step < parts * least:
        text = "samples" if least == 1 else "pairs of samples to mix"
        yield (
            ("data", "parts"),
            predicate(f"must be at most {step // least}: a step has {step // least} {text}; got {parts}"),
        )


@reads("mix", "train.mix_until")
def _mixing_can_end(experiment: Experiment) -> Found:
    if experiment.train.mix_until and not experiment.mix:
        yield ("train", "mix_until"), predicate("ends mixing, but mix is null; set mix, or leave it out")


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


@reads("evaluate.thresholds", "data")
def _thresholds_are_tuned_on_validation(experiment: Experiment) -> Found:
    if experiment.evaluate.thresholds is not None and experiment.data.val is None:
        yield ("evaluate", "thresholds"), predicate("are tuned on validation, but data.val is null; set it, or neither")


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


@reads("data.val", "evaluate.best", "evaluate.metrics")
def _best_can_be_chosen(experiment: Experiment) -> Found:
    evaluate = experiment.evaluate
    first = evaluate.metrics[0].name if evaluate.metrics else "loss"
    if experiment.data.val is None and evaluate.best != first:
        yield (
            ("evaluate", "best"),
            predicate(f"needs validation samples, but data.val is null; got {evaluate.best}"),
        )


@reads("data.val", "data.test")
def _splits_leave_something(experiment: Experiment) -> Found:
    shares = [part.split for part in (experiment.data.val, experiment.data.test) if isinstance(part, Split)]
    if sum(share for share in shares if isinstance(share, float)) >= 1:
        yield ("data", "val"), predicate("and data.test together leave no training samples")


@reads("data.val", "data.confirmation")
def _confirmation_is_taken_from_validation(experiment: Experiment) -> Found:
    if experiment.data.val is None and experiment.data.confirmation is not None:
        yield ("data", "confirmation"), predicate("is taken from the validation samples, but data.val is null")
    elif experiment.data.confirmation == 1:
        yield ("data", "confirmation"), predicate("must be less than 1, or no validation samples remain; got 1")


@reads("data.val")
def _a_fold_is_one_of_them(experiment: Experiment) -> Found:
    val = experiment.data.val
    if isinstance(val, Fold) and val.of < 2:
        yield ("data", "val", "of"), predicate(f"must be 2 or more; got {val.of}")
    elif isinstance(val, Fold) and val.fold > val.of:
        yield ("data", "val", "fold"), predicate(f"must be from 1 to {val.of}; got {val.fold}")


@reads("data")
def _datasets_share_a_split_column(experiment: Experiment) -> Found:
    """Leakage: a dataset without `split_column` reads the rows of all splits, also those that another one trains on."""
    data = experiment.data
    tables = {purpose: getattr(source, "settings", {}) for purpose, source in vars(data).items()}
    columns = {
        settings["path"]: (purpose, settings["split_column"])
        for purpose, settings in tables.items()
        if settings.get("split_column") is not None
    }
    for purpose, settings in tables.items():
        if "split_column" in settings and settings["split_column"] is None and settings["path"] in columns:
            other, column = columns[settings["path"]]
            text = f"reads all rows of the table, including those of data.{other}; set split_column: {column} here too"
            yield ("data", purpose), predicate(text)


def _reaches_end(duration: Duration, epochs: int) -> bool:
    """Whether a duration is as long as training, as far as that is known before the data is."""
    return {"%": duration.amount >= 100, "epochs": duration.amount >= epochs, "steps": False}[duration.unit]


def _epochs(experiment: Experiment) -> str:
    return str(Duration(experiment.train.epochs, "epochs"))
