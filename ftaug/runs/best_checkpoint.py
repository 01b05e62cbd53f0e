"""Describe how the best checkpoint is chosen, with the confidence interval of small validation sets."""

from collections.abc import Mapping, Sequence
from typing import Any

from ftaug.config.experiment import Experiment
from ftaug.config.task_fit import DEFAULTS, default_metrics
from ftaug.engine.training.fit import Progress
from ftaug.engine.training.state import TrainingState
from ftaug.statistics.intervals import wilson

FEW = 500
"""Number of validation samples below which the confidence interval of a proportion is shown."""


def rule(state: TrainingState) -> str:
    """Describe the metric that selects the best checkpoint, with the reason if chosen automatically."""
    best = state.experiment.evaluate.best
    why = DEFAULTS[state.task.kind].reason if default_metrics(state.experiment) else None
    if best == "loss":
        text = "the lowest validation loss"
    else:
        text = f"auto → {best} ({why})" if why else best
        text += ", ties by the lower loss"
    samples = len(state.splits["val"])
    if samples < FEW and _is_proportion(state.experiment):
        text += f"; {samples} validation samples: 90 % there means {_interval(0.9, samples)} (95 % interval)"
    return text


def of_evaluations(evaluations: Sequence[Mapping[str, Any]], progress: Progress) -> dict[str, Any] | None:
    """Return step and metrics of the best evaluation; None if there is none."""
    best = next((row for row in evaluations if row["step"] == progress.best_step), None)
    return None if best is None else {"step": best["step"], "metrics": best["metrics"]}


def outcome(state: TrainingState, progress: Progress, best: Mapping[str, Any]) -> str:
    """Describe the best checkpoint, its metrics and their uncertainty."""
    metrics = best.get("metrics") or {}
    figures = ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())
    text = f"step {best['step']}" + (f" ({figures})" if figures else "")
    name = state.experiment.evaluate.best
    if progress.scores and progress.best_step is None:
        return f"{text}, the last checkpoint: no evaluation gave a number for {name}"
    samples = len(state.splits["val"]) if "val" in state.splits else 0
    if 0 < samples < FEW and name in metrics and _is_proportion(state.experiment):
        interval = _interval(metrics[name], samples)
        text += f"; {name} on {samples} validation samples has the 95 % interval {interval}"
        if len(progress.scores) > 1:
            text += (
                f", and this is the best of {len(progress.scores)} evaluations, so expect a lower value on a test set"
            )
    return text


def _is_proportion(experiment: Experiment) -> bool:
    """Whether the selecting metric is a proportion of samples, such as accuracy."""
    evaluate = experiment.evaluate
    return any(metric.name == evaluate.best and metric.fact("proportion") for metric in evaluate.metrics)


def _interval(share: float, samples: int) -> str:
    low, high = wilson(share, samples)
    return f"{100 * low:.0f} to {100 * high:.0f} %"
