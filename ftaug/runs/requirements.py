"""Check required metric values such as `accuracy>=0.9` (`--require`)."""

import operator
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ftaug.config.experiment import Experiment
from ftaug.config.task_fit import DEFAULTS, default_loss, default_metrics, tasks_of
from ftaug.errors import ExperimentError, NotReached, did_you_mean
from ftaug.statistics.slices import FEWEST

COMPARISONS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}

ENDS = ("low", "high")
"""The ends of an interval, as in `accuracy.low`."""

SECTIONS = ("slices", "corruptions")
"""What `ftaug evaluate` measures on request, as in `slices.worst.accuracy`."""


@dataclass(frozen=True)
class Requirement:
    """A bound on a metric."""

    name: str
    comparison: str
    bound: float

    @classmethod
    def parse(cls, text: str) -> "Requirement":
        """Parse `NAME>=NUMBER` (also `<=`, `>`, `<`), NAME a metric, `METRIC.low` or `corruptions.fog.METRIC`.

        Raises ExperimentError.
        """
        match = re.fullmatch(r"\s*([^<>=]*\w)\s*(>=|<=|>|<)\s*([-+.\deE]+)\s*", text)
        try:
            return cls(match[1], match[2], float(match[3])) if match else cls(text, "", float("x"))
        except ValueError:
            raise ExperimentError(f"--require '{text}': must be a comparison such as accuracy>=0.9") from None


def with_ends(names: Iterable[str]) -> list[str]:
    """Return names of metrics, each with the names of the ends of its interval."""
    return [each for name in names for each in (name, *(f"{name}.{end}" for end in ENDS))]


def values_with_ends(name: str, estimate: Mapping[str, Any]) -> dict[str, float]:
    """Return the value of an estimate under its name, and the ends of its interval if it has one."""
    return {name: estimate["value"], **{f"{name}.{end}": estimate[end] for end in ENDS if end in estimate}}


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
            section = wanted.name.partition(".")[0]
            if section in SECTIONS and not any(name.startswith(f"{section}.") for name in names):
                raise ExperimentError(f"--require {wanted.name}: `ftaug evaluate --{section} …` measures it")
            raise ExperimentError(f"--require {wanted.name}: is not measured{did_you_mean(wanted.name, names)}")


def check(requirements: Iterable[Requirement], values: Mapping[str, float]) -> None:
    """Raise NotReached for unmet requirements, ExperimentError for metrics that were not computed."""
    failed = []
    for wanted in requirements:
        metric, _, end = wanted.name.rpartition(".")
        if end in ENDS and wanted.name not in values and metric in values:
            raise ExperimentError(f"--require {wanted.name}: {metric} has no interval here; require {metric} itself")
        if wanted.name not in values and wanted.name.startswith("slices."):
            raise ExperimentError(f"--require {wanted.name}: was not measured: no slice has {FEWEST} samples")
        if wanted.name not in values:
            raise ExperimentError(f"--require {wanted.name}: was not measured{did_you_mean(wanted.name, values)}")
        if not COMPARISONS[wanted.comparison](values[wanted.name], wanted.bound):
            failed.append(
                f"required {wanted.name} {wanted.comparison} {wanted.bound:g}, reached {values[wanted.name]:.4f}"
            )
    if failed:
        raise NotReached(*failed)
