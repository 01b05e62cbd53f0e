"""Compare backbones by predictions from their features, and choose the cheapest of those that are equally good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from ftaug.config.experiment import Experiment
from ftaug.config.task_fit import with_task_defaults
from ftaug.engine.loading import seeds, stratify
from ftaug.engine.loading.sample_keys import identities, sample_keys
from ftaug.engine.loading.split import DataSplit, load_splits
from ftaug.errors import BadSample, ExperimentError, FtaugError, MissingInput, combined
from ftaug.interfaces.data import Task
from ftaug.interfaces.model import CannotCut
from ftaug.runs.backbone_choice import probes
from ftaug.runs.backbone_choice.candidates import Candidate
from ftaug.runs.backbone_choice.cost import Cost, measure
from ftaug.runs.bad_samples import readable
from ftaug.runs.doctor.backbone_features import backbone_features
from ftaug.runs.doctor.linear_probe import FOLDS
from ftaug.runs.doctor.scan import Scan, scan
from ftaug.runs.report import console
from ftaug.statistics.comparison import Difference, adjusted, compare
from ftaug.statistics.intervals import Estimate, estimates
from ftaug.statistics.metric_table import standard_metrics
from ftaug.statistics.records import Records

EQUALLY_FAST = 1.1
"""Ratio of times up to which backbones are equally fast: measured twice, a network differs by as much."""


@dataclass(frozen=True)
class BackboneResult:
    """A backbone with the metric of its predictions and its cost."""

    candidate: Candidate
    probe: Estimate  # of the linear probe
    neighbors: Estimate  # of the nearest neighbors
    cost: Cost


@dataclass(frozen=True)
class BackboneChoice:
    """The backbones in the order of the command line, with the comparison of each with the best one."""

    metric: str
    samples: int  # number of validation samples
    results: Sequence[BackboneResult]
    best: int  # the highest metric of the linear probe
    chosen: int
    differences: Mapping[int, Difference]  # second: the best one; p adjusted for all pairs
    notes: Sequence[str] = ()

    @property
    def equal(self) -> list[int]:
        """The backbones that are not shown to be worse than the best one, itself included."""
        return [
            index
            for index in range(len(self.results))
            if index == self.best or self.differences[index].better() != "second"
        ]


def choose(candidates: Sequence[Candidate], device: str) -> BackboneChoice:
    """Compute the features of all candidates and compare predictions from them on validation.

    Raises the errors of all candidates together: ExperimentError, Unavailable, MissingInput, BadData.
    """
    experiment = candidates[0].experiment
    scanned = _scan(experiment)
    train, val = scanned.readable("train"), scanned.readable("val")
    costs = _costs(candidates, val, device)
    targets, is_train = scanned.targets(np.arange(len(scanned))), scanned.split_index == 0
    is_validation = np.zeros(len(scanned), bool)
    is_validation[scanned.rows("train")] = _held_out(train, experiment.seed)
    metric = comparable_metric(experiment, train.task)
    probed, neighbors = [], []
    for candidate in candidates:
        features = _features(candidate, scanned, device)
        probed.append(_records(val, probes.linear_probe(features, targets, train.task, is_train, is_validation)))
        neighbors.append(_records(val, probes.nearest_neighbors(features, targets, train.task, is_train)))
    metrics = {metric: standard_metrics(train.task)[metric]}
    results = [
        BackboneResult(candidate, estimates(probe, metrics)[metric], estimates(knn, metrics)[metric], cost)
        for candidate, probe, knn, cost in zip(candidates, probed, neighbors, costs, strict=True)
    ]
    return decide(metric, results, probed)


def decide(metric: str, results: Sequence[BackboneResult], probed: Sequence[Records]) -> BackboneChoice:
    """Compare the records of the linear probes, and choose the cheapest of those not shown to be worse than the best.

    p-values are adjusted for all pairs, so that they hold for the pairs with the best one, which the same samples show.
    """
    definition = standard_metrics(probed[0].task)[metric]
    sign = 1 if definition.higher_is_better else -1
    best = max(range(len(results)), key=lambda index: (sign * results[index].probe.value, -index))
    pairs = {
        f"{first} {second}": compare([probed[first]], [probed[second]], {metric: definition})[metric]
        for first, second in combinations(range(len(results)), 2)
    }
    by_pair = adjusted(pairs)
    differences = {other: _second_is_best(by_pair, other, best) for other in range(len(results)) if other != best}
    choice = BackboneChoice(metric, len(probed[0]), results, best, best, differences)
    return replace(choice, chosen=_cheapest(choice), notes=_notes(choice, sign))


def _cheapest(choice: BackboneChoice) -> int:
    """Return the smallest of the fastest among the equally good backbones."""
    costs = {index: choice.results[index].cost for index in choice.equal}
    limit = EQUALLY_FAST * min(cost.milliseconds for cost in costs.values())
    return min((index for index in costs if costs[index].milliseconds <= limit), key=lambda i: costs[i].megabytes)


def _second_is_best(by_pair: Mapping[str, Difference], other: int, best: int) -> Difference:
    """Return the difference of a pair as best − other."""
    if other < best:
        return by_pair[f"{other} {best}"]
    difference = by_pair[f"{best} {other}"]
    return replace(
        difference,
        first=difference.second,
        second=difference.first,
        low=-difference.high,
        high=-difference.low,
    )


def _notes(choice: BackboneChoice, sign: int) -> list[str]:
    values = [sign * result.neighbors.value for result in choice.results]
    first = int(np.argmax(values))
    name = choice.results[first].candidate.setting
    if first in choice.equal:
        return []
    return [f"by nearest neighbors {name} is the best: the order depends on how the features are used"]


def comparable_metric(experiment: Experiment, task: Task) -> str:
    """Return `evaluate.best` by the name that it has with an interval; accuracy, or MAE, if it has none."""
    experiment = with_task_defaults(experiment, task.kind)
    best = experiment.evaluate.best
    settings = next((each.settings for each in experiment.evaluate.metrics if each.name == best), {})
    name = {"loss": "rmse" if task.regression else "nll", "top_k": f"top_{settings.get('k')}"}.get(best, best)
    name = f"{name}_{settings['average']}" if settings.get("average") else name
    return name if name in standard_metrics(task) else "mae" if task.regression else "accuracy"


def _scan(experiment: Experiment) -> Scan:
    """Read the training and validation samples; raises ExperimentError without validation, BadData, BadSample."""
    splits = readable(experiment, load_splits(experiment.data, experiment.seed))
    if "val" not in splits:
        raise ExperimentError(
            "data.val: is null, and backbones are compared on validation samples; set one, such as {split: 20%}"
        )
    scanned = scan(experiment, {purpose: splits[purpose] for purpose in ("train", "val")})
    if scanned.unreadable:
        sample, reason = scanned.unreadable[0]
        raise BadSample(f"{sample.name}: {reason}; all such samples: ftaug doctor CONFIG")
    return scanned


def _costs(candidates: Sequence[Candidate], split: DataSplit, device: str) -> list[Cost]:
    """Measure the cost of every candidate; raises the errors of all of them as one."""
    costs: list[Cost] = []
    errors: list[FtaugError] = []
    for candidate in candidates:
        console.say(f"{candidate.setting}: weights and speed")
        try:
            costs.append(measure(candidate.experiment, split, device))
        except (ExperimentError, MissingInput) as error:
            errors.append(error)
    if errors:
        raise combined(errors)
    return costs


def _features(candidate: Candidate, scanned: Scan, device: str) -> np.ndarray:
    console.say(f"{candidate.setting}: features of {len(scanned):,} samples")
    try:
        return backbone_features(candidate.experiment, scanned, device)
    except CannotCut as reason:
        text = f"--among {candidate.setting}: its features cannot be computed: {reason}"
        raise ExperimentError(f"{text}; leave it out") from None


def _held_out(train: DataSplit, seed: int) -> np.ndarray:
    """Return a mask of the training samples by which the penalty of the linear probe is chosen: bool (n,)."""
    groups = None if train.samples.groups is None else train.samples.groups[train.ids]
    words = identities(sample_keys(train.samples), train.samples.groups)[train.ids]
    return np.asarray(stratify.folds(train.targets, groups, FOLDS, words, seeds.word(f"{seed}/choose")) == 0)


def _records(split: DataSplit, predictions: np.ndarray) -> Records:
    groups = split.samples.groups
    return Records(split.task, predictions, split.targets, None if groups is None else groups[split.ids])
