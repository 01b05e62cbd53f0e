"""`ftaug validate`: check an experiment file without touching data or model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ftaug.config.dump import digest, to_plain
from ftaug.config.experiment import Experiment
from ftaug.config.strict_json import dumps
from ftaug.config.task_fit import default_metrics
from ftaug.load import load


def run(config: Path, overrides: Sequence[str], no_plugins: bool, as_json: bool) -> None:
    """Print that the file is valid and what it says in short."""
    experiment = load(config, overrides, plugins=not no_plugins)
    if as_json:
        result = {
            "valid": True,
            "config": str(config),
            "digest": digest(experiment),
            "experiment": to_plain(experiment),
        }
        print(dumps(result, indent=2))
        return
    print(f"{config}: valid")
    for line in summary(experiment):
        print(f"  {line}")


def summary(experiment: Experiment) -> list[str]:
    """The experiment in a few lines."""
    listed = ["auto"] if experiment.unfreeze == "auto" else experiment.unfreeze
    unfreeze = [item if isinstance(item, str) else str(to_plain(item)) for item in listed]
    metrics = ", ".join(metric.name for metric in experiment.evaluate.metrics) or "none"
    augment = [component.name for component in experiment.augment] + ([experiment.mix.name] if experiment.mix else [])
    return [
        f"name      {experiment.name} ({digest(experiment)})",
        f"data      {experiment.data.train.name}, batches of {experiment.data.batch_size}",
        f"backbone  {experiment.backbone.name}, learning: {', '.join(unfreeze)}",
        *([f"method    {experiment.method.name}"] if experiment.method else []),
        f"augment   {', '.join(augment) or 'nothing'}",
        f"training  {experiment.train.epochs} epochs, {experiment.optimizer.name}, "
        f"{experiment.lr.schedule.name} from {experiment.lr.peak:g}, {experiment.loss.name}",
        f"metrics   {f'auto → {metrics}' if default_metrics(experiment) else metrics}",
        f"best by   {experiment.evaluate.best}",
    ]
