"""Consistency checks of what is minimized: loss, objective, distillation and mixing."""

from __future__ import annotations

from ftaug.config.checks import Found, reads
from ftaug.config.experiment import Experiment
from ftaug.config.problems import predicate
from ftaug.config.registry import Component, nested
from ftaug.config.task_fit import labels_learned


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


@reads("mix", "data.batch_size", "train.gradient_accumulation")
def _mix_has_partners(experiment: Experiment) -> Found:
    if experiment.mix is not None and experiment.data.batch_size * experiment.train.gradient_accumulation < 2:
        words = f"must be 2 or more: mix: {experiment.mix.name} mixes each sample with another of its step"
        yield ("data", "batch_size"), predicate(f"{words}; got 1")


@reads("mix", "train.mix_until")
def _mixing_can_end(experiment: Experiment) -> Found:
    if experiment.train.mix_until and not experiment.mix:
        yield ("train", "mix_until"), predicate("ends mixing, but mix is null; set mix, or leave it out")
