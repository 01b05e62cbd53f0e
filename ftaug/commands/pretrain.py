"""`ftaug pretrain`: train the network on the samples of a task without their labels, before the task is learned."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ftaug.commands.options import AsJson, Config, Device, OnDevice, Overrides, TrustPlugins


def pretrain(
    config: Config,
    overrides: Overrides = None,
    run_dir: Annotated[
        Path | None, typer.Option(help="The run folder, instead of runs/NAME-HASH.", metavar="DIR")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over in a new folder.")] = False,
    device: OnDevice = Device.auto,
    as_json: AsJson = False,
    trust_plugins: TrustPlugins = False,
    processes: Annotated[
        int | None, typer.Option(help="Number of processes on this machine that train together.", min=1)
    ] = None,
) -> None:
    """Train the network on samples without their labels, and say whether its features became better.

    Takes the experiment file of the task: its training samples, network and augmentation. Unless set, the objective is
    `instance`, with L2-SP and layer decay; the rate is a tenth of the file's. The labels serve only to compare the
    nearest neighbors of samples before and after. If these are not better, the initial weights are kept.
    """
    if processes is not None:
        from ftaug.engine.system.restarts import launch, without_options

        raise typer.Exit(launch(without_options(sys.argv[1:], {"--processes": 1}), processes, 0))

    from ftaug.engine.system.launcher import follow_launcher
    from ftaug.engine.system.world import of_environment
    from ftaug.experiment_file import open_experiment
    from ftaug.runs.pretraining_settings import WITHOUT_LABELS, default_objective, default_overrides

    follow_launcher()
    given = [*WITHOUT_LABELS, *(overrides or ())]
    file = open_experiment(config, trust_plugins=trust_plugins)
    objective = default_objective(*file.named_component("objective", given))
    experiment = file.experiment([*given, *objective])
    changed = {override.partition("=")[0] for override in given}
    defaults = objective + [each for each in default_overrides(experiment) if each.partition("=")[0] not in changed]

    # import torch only after the file is known to be valid: it takes seconds
    from ftaug.runs.pretraining import assess, conclusion
    from ftaug.runs.report import console
    from ftaug.runs.train_file import train_file

    if of_environment().is_first:
        console.say(f"settings of the pretraining: {' '.join(defaults)}")
    trained = train_file(
        config,
        [*given, *defaults],
        run_dir=run_dir,
        fresh=fresh,
        from_=None,
        folds=None,
        device=device.value,
        trust_plugins=trust_plugins,
        report=False,
    )
    if not of_environment().is_first:
        return
    result = assess(Path(trained["run"]), trust_plugins=trust_plugins)
    console.say(conclusion(result))
    print(console.to_json(result) if as_json else result["run"])
