"""Check required metric values such as `accuracy>=0.9` (`--require`)."""

import operator
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ftaug.config.experiment import Experiment
from ftaug.config.task_fit import DEFAULTS, default_loss, default_metrics, tasks_of
from ftaug.errors import ExperimentError, NotReached, did_you_mean

COMPARISONS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}


@dataclass(frozen=True)
class Requirement:
    """A bound on a metric."""

    name: str
    comparison: str
    bound: float

    @classmethod
    def parse(cls, text: str) -> "Requirement":
        """Parse `NAME>=NUMBER` (also `<=`, `>`, `<`), NAME a metric or `METRIC.low`; raises ExperimentError."""
        match = re.fullmatch(r"\s*(\w+(?:\.low|\.high)?)\s*(>=|<=|>|<)\s*([-+.\deE]+)\s*", text)
        try:
            return cls(match[1], match[2], float(match[3])) if match else cls(text, "", float("x"))
        except ValueError:
            raise ExperimentError(f"--require '{text}': must be a comparison such as accuracy>=0.9") from None


def names_in_training(experiment: Experiment) -> set[str]:
    """Return the metrics that training may report, as far as known before loading the data."""
    evaluate = experiment.evaluate
    if experiment.data.val is None:
        return set()
    names = {"loss", *(metric.name for metric in evaluate.metrics)}
    if default_metrics(experiment):
        fitting = DEFAULTS if default_loss(experiment) else experiment.loss.fact("tasks")
        names = {"loss", *(name for task in tasks_of(experiment) if task in fitting for name in DEFAULTS[task].metrics)}
    return names


def check_names(requirements: Iterable[Requirement], measured: Iterable[str]) -> None:
    """Raise ExperimentError for required metrics that will not be computed."""
    names = set(measured)
    for wanted in requirements:
        if not names:
            raise ExperimentError(f"--require {wanted.name}: nothing is measured without data.val")
        if wanted.name not in names:
            raise ExperimentError(f"--require {wanted.name}: is not measured{did_you_mean(wanted.name, names)}")


def check(requirements: Iterable[Requirement], values: Mapping[str, float]) -> None:
    """Raise NotReached for unmet requirements, ExperimentError for metrics that were not computed."""
    failed = []
    for wanted in requirements:
        metric, _, end = wanted.name.partition(".")
        if end and wanted.name not in values and metric in values:
            raise ExperimentError(f"--require {wanted.name}: {metric} has no interval here; require {metric} itself")
        if wanted.name not in values:
            raise ExperimentError(f"--require {wanted.name}: was not measured{did_you_mean(wanted.name, values)}")
        if not COMPARISONS[wanted.comparison](values[wanted.name], wanted.bound):
            failed.append(
                f"required {wanted.name} {wanted.comparison} {wanted.bound:g}, reached {values[wanted.name]:.4f}"
            )
    if failed:
        raise NotReached(*failed)
