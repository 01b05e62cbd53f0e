"""`ftaug validate`: check an experiment file without touching data or model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ftaug.commands.options import AsJson, Config, Overrides
from ftaug.errors import one_of

if TYPE_CHECKING:
    from ftaug.config.experiment import Experiment


def validate(
    config: Config,
    overrides: Overrides = None,
    no_plugins: Annotated[bool, typer.Option("--no-plugins", help="Do not import the plugins it lists.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check an experiment file without touching data or model."""
    from ftaug.config.dump import folder_digest, to_plain
    from ftaug.config.strict_json import dumps
    from ftaug.experiment_file import load

    experiment = load(config, overrides or (), plugins=not no_plugins)
    digest = folder_digest(experiment, config.absolute().parent)
    if as_json:
        result = {
            "valid": True,
            "config": str(config),
            "digest": digest,
            "experiment": to_plain(experiment),
        }
        print(dumps(result, indent=2))
        return
    print(f"{config}: valid")
    for line in summary(experiment, digest):
        print(f"  {line}")


def summary(experiment: Experiment, digest: str) -> list[str]:
    """Summarize an experiment in a few lines; the digest is that in its run folder's name."""
    from ftaug.config.dump import to_plain

    listed = ["auto"] if experiment.unfreeze == "auto" else experiment.unfreeze
    unfreeze = [item if isinstance(item, str) else str(to_plain(item)) for item in listed]
    loss, metrics = _loss_and_metrics(experiment)
    augment = [component.name for component in experiment.augment] + ([experiment.mix.name] if experiment.mix else [])
    return [
        f"name      {experiment.name} ({digest})",
        f"data      {experiment.data.train.name}, batches of {experiment.data.batch_size}",
        f"backbone  {experiment.backbone.name}, learning: {', '.join(unfreeze)}",
        *([f"method    {experiment.method.name}"] if experiment.method else []),
        f"augment   {', '.join(augment) or 'nothing'}",
        f"training  {experiment.train.epochs} epochs, {experiment.optimizer.name}, "
        f"{experiment.lr.schedule.name} from {experiment.lr.peak:g}, {loss}",
        f"metrics   {metrics}",
        f"best by   {experiment.evaluate.best}",
    ]


def _loss_and_metrics(experiment: Experiment) -> tuple[str, str]:
    """Describe loss and metrics; the defaults of each possible task if the file names none."""
    from ftaug.config.task_fit import DEFAULTS, default_loss, default_metrics, tasks_of

    defaults = [DEFAULTS[kind] for kind in tasks_of(experiment)]
    loss = experiment.loss.name
    if default_loss(experiment) and len(defaults) > 1:
        loss = f"auto ({one_of([default.loss for default in defaults])})"
    if not default_metrics(experiment):
        return loss, ", ".join(metric.name for metric in experiment.evaluate.metrics) or "none"
    return loss, f"auto → {' or '.join(', '.join(default.metrics) for default in defaults)}"
