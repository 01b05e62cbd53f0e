"""Consistency checks of data: splits, rows that two of them read, and the order of samples."""

from __future__ import annotations

import dataclasses
import functools

from ftaug.config.checks import Found, reads
from ftaug.config.experiment import Experiment, Fold, Split
from ftaug.config.problems import PartialProblem, predicate
from ftaug.config.registry import Component
from ftaug.config.task_fit import TARGETS, labels_learned, possible_tasks, tasks_of
from ftaug.errors import ExperimentError, one_of


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


@reads("data.val", "data.test")
def _splits_leave_something(experiment: Experiment) -> Found:
    shares = [part.split for part in (experiment.data.val, experiment.data.test) if isinstance(part, Split)]
    if sum(share for share in shares if isinstance(share, float)) >= 1:
        yield ("data", "val"), predicate("and data.test together leave no training samples")


@reads("data.val")
def _a_fold_is_one_of_them(experiment: Experiment) -> Found:
    val = experiment.data.val
    if isinstance(val, Fold) and val.of < 2:
        yield ("data", "val", "of"), predicate(f"must be 2 or more; got {val.of}")
    elif isinstance(val, Fold) and val.fold > val.of:
        yield ("data", "val", "fold"), predicate(f"must be from 1 to {val.of}; got {val.fold}")


@reads("data.val", "data.confirmation")
def _confirmation_is_taken_from_validation(experiment: Experiment) -> Found:
    if experiment.data.val is None and experiment.data.confirmation is not None:
        yield ("data", "confirmation"), predicate("is taken from the validation samples, but data.val is null")
    elif experiment.data.confirmation == 1:
        yield ("data", "confirmation"), predicate("must be less than 1, or no validation samples remain; got 1")


@reads("data.order", "data.sampler")
def _samples_have_one_order(experiment: Experiment) -> Found:
    if experiment.data.order != "random" and experiment.data.sampler is not None:
        yield (
            ("data", "order"),
            predicate("cannot be combined with data.sampler, which has its own order; leave one out"),
        )


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
