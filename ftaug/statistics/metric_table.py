"""The metrics of a task by name, with what their confidence intervals depend on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from ftaug.interfaces.data import Task
from ftaug.statistics import decision_metrics as decisions
from ftaug.statistics import probability_metrics as probabilities
from ftaug.statistics import ranking_metrics as ranking
from ftaug.statistics import regression_metrics as regression
from ftaug.statistics.records import Records, WeightedRecords

UNBOUNDED = float("inf")


class Evidence(NamedTuple):
    """What a metric rests on."""

    successes: np.ndarray  # records whose prediction is right, bool (n,)
    errors: np.ndarray  # records whose prediction is wrong, bool (n,)
    samples: float  # as many independent samples determine a proportion about as exactly as the records this metric


@dataclass(frozen=True)
class Metric:
    """A metric of records under many weightings, and what its interval depends on."""

    value: Callable[[WeightedRecords], np.ndarray]  # -> (draws,)
    evidence: Callable[[Records], Evidence]
    lowest: float = 0.0
    highest: float = 1.0
    higher_is_better: bool = True
    is_proportion: bool = False  # of as many samples as its evidence says
    is_biased: bool = False  # whether random variation alone makes it larger, as it does calibration errors


def standard_metrics(task: Task) -> dict[str, Metric]:
    """Return the metrics over all classes that the task has, by name."""
    if task.regression:
        return REGRESSION
    if task.multi_label:
        return {"accuracy": proportion(lambda r: r.correct), **COMMON}
    k = min(5, len(task.classes))
    return {
        "accuracy": proportion(lambda r: r.correct),
        **({f"top_{k}": proportion(partial(decisions.among_top_k, k=k))} if k > 1 else {}),
        **COMMON,
        **{f"{name}_micro": proportion(lambda r: r.correct) for name in ("precision", "recall", "f1")},
        **SINGLE_LABEL,
    }


def class_metrics(index: int) -> dict[str, Metric]:
    """Return the metrics of one class against the rest, by name."""
    both = partial(_sides_of_class, index=index)
    return {
        "precision": proportion(lambda r: r.positive[:, index], lambda r: r.decided[:, index]),
        "recall": proportion(lambda r: r.decided[:, index], lambda r: r.positive[:, index]),
        "f1": Metric(partial(decisions.class_f1, index=index), partial(_decided_or_present, index=index)),
        "auroc": Metric(partial(ranking.class_auroc, index=index), both),
        "average_precision": Metric(partial(ranking.class_average_precision, index=index), both),
    }


def proportion(hits: Callable[[Records], np.ndarray], members: Callable[[Records], np.ndarray] | None = None) -> Metric:
    """Define a metric as a share of hits among members (default: all records), both bool (n,); 0 without members."""

    def value(sample: WeightedRecords) -> np.ndarray:
        rows = np.ones(len(sample.records), bool) if members is None else members(sample.records)
        weights = sample.weights[rows]
        total = weights.sum(axis=0)
        return np.asarray((hits(sample.records)[rows].astype(float) @ weights) / np.where(total > 0, total, 1))

    def evidence(records: Records) -> Evidence:
        rows = np.ones(len(records), bool) if members is None else members(records)
        right = hits(records)
        return Evidence(rows & right, rows & ~right, int(rows.sum()))

    return Metric(value, evidence, is_proportion=True)


def _all_samples(records: Records) -> Evidence:
    return Evidence(records.correct, ~records.correct, len(records))


def _classes_alike(records: Records) -> Evidence:
    """Mean of class shares: its variance is that of a share of `classes² / Σ 1/size` samples."""
    sizes = records.positive.sum(axis=0)
    sizes = sizes[sizes > 0]
    return _all_samples(records)._replace(samples=len(sizes) ** 2 / (1 / sizes).sum() if len(sizes) else 0)


def _decided_or_present(records: Records, index: int) -> Evidence:
    decided, present = records.decided[:, index], records.positive[:, index]
    return Evidence(decided & present, decided ^ present, int((decided | present).sum()))


def _sides_of_class(records: Records, index: int) -> Evidence:
    """Positives and negatives; a rank metric is no more exact than the smaller side."""
    positive = records.positive[:, index]
    return Evidence(positive, ~positive, int(min(positive.sum(), (~positive).sum())))


def _numbers(records: Records) -> Evidence:
    everywhere = np.ones(len(records), bool)
    return Evidence(everywhere, everywhere, len(records))


def _loss(value: Callable[[WeightedRecords], np.ndarray], highest: float = 1.0, *, is_biased: bool = False) -> Metric:
    return Metric(value, _all_samples, highest=highest, higher_is_better=False, is_biased=is_biased)


AVERAGES: tuple[tuple[decisions.Average, Callable[[Records], Evidence]], ...] = (
    ("macro", _classes_alike),
    ("weighted", _all_samples),
    ("micro", _all_samples),
)
CLASS_AVERAGES: tuple[tuple[ranking.ClassAverage, Callable[[Records], Evidence]], ...] = (
    ("macro", _classes_alike),
    ("weighted", _all_samples),
)
COMMON = {
    "balanced_accuracy": Metric(decisions.balanced_accuracy, _classes_alike),
    **{
        f"{value.__name__}_{average}": Metric(partial(value, average=average), evidence)
        for value in (decisions.precision, decisions.recall, decisions.f1)
        for average, evidence in AVERAGES
    },
    **{
        f"{value.__name__}_{average}": Metric(partial(value, average=average), evidence)
        for value in (ranking.auroc, ranking.average_precision)
        for average, evidence in CLASS_AVERAGES
    },
    "nll": _loss(probabilities.nll, UNBOUNDED),
    "brier": _loss(probabilities.brier, 2.0),
    "ece": _loss(probabilities.ece, is_biased=True),
    "ece_adaptive": _loss(probabilities.ece_adaptive, is_biased=True),
    "ece_debiased": _loss(probabilities.ece_debiased, is_biased=True),
}
SINGLE_LABEL = {
    "mcc": Metric(decisions.mcc, _all_samples, lowest=-1.0),
    "kappa": Metric(decisions.kappa, _all_samples, lowest=-1.0),
    "kappa_quadratic": Metric(decisions.kappa_quadratic, _all_samples, lowest=-1.0),
}
REGRESSION = {
    "mae": Metric(regression.mae, _numbers, highest=UNBOUNDED, higher_is_better=False),
    "rmse": Metric(regression.rmse, _numbers, highest=UNBOUNDED, higher_is_better=False),
    "r2": Metric(regression.r2, _numbers, lowest=-UNBOUNDED),
    "pearson": Metric(regression.pearson, _numbers, lowest=-1.0),
    "spearman": Metric(regression.spearman, _numbers, lowest=-1.0),
}
