"""Consistency checks of what is measured, and of what is chosen by it."""

from __future__ import annotations

from ftaug.config.checks import Found, reads
from ftaug.config.experiment import Experiment
from ftaug.config.problems import predicate
from ftaug.errors import one_of


@reads("evaluate.metrics", "evaluate.best")
def _best_is_measured(experiment: Experiment) -> Found:
    metrics = [metric.name for metric in experiment.evaluate.metrics]
    if experiment.evaluate.best not in (*metrics, "loss"):
        measured = one_of([*metrics, "loss"])
        yield (
            ("evaluate", "best"),
            predicate(f"must be one of the metrics, {measured}; got {experiment.evaluate.best}"),
        )


@reads("data.val", "evaluate.best", "evaluate.metrics")
def _best_can_be_chosen(experiment: Experiment) -> Found:
    evaluate = experiment.evaluate
    first = evaluate.metrics[0].name if evaluate.metrics else "loss"
    if experiment.data.val is None and evaluate.best != first:
        yield (
            ("evaluate", "best"),
            predicate(f"needs validation samples, but data.val is null; got {evaluate.best}"),
        )


@reads("evaluate.metrics")
def _metrics_are_different(experiment: Experiment) -> Found:
    names = [metric.name for metric in experiment.evaluate.metrics]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield ("evaluate", "metrics", index), predicate(f"is a duplicate of {name}; list each metric once")


@reads("evaluate.thresholds", "data")
def _thresholds_are_tuned_on_validation(experiment: Experiment) -> Found:
    if experiment.evaluate.thresholds is not None and experiment.data.val is None:
        yield ("evaluate", "thresholds"), predicate("are tuned on validation, but data.val is null; set it, or neither")


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
