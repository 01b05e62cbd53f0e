"""`ftaug ablate`: measure what each part of an experiment contributes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ftaug.commands.options import AsJson, Config, Device, OnDevice, Overrides, TrustPlugins


def ablate(
    config: Config,
    overrides: Overrides = None,
    seeds: Annotated[int, typer.Option(help="The number of seeds that each variant is trained with.", min=2)] = 6,
    over: Annotated[
        list[str] | None,
        typer.Option(
            help="What to leave out one by one: augment, mix, loss, train ..., or a key such as train.ema; may be "
            "repeated; default augment and mix.",
            metavar="SECTION",
        ),
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option(
            help="Augmentations or mixes to add one at a time, such as rotate,{shear: {x: 10}}, or none; "
            "default standard ones.",
            metavar="NAMES",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="The folder of the runs, instead of runs/NAME-HASH-ablation.", metavar="DIR"
        ),
    ] = None,
    device: OnDevice = Device.auto,
    as_json: AsJson = False,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Measure what each part of an experiment contributes, by training without it."""
    from ftaug.experiment_file import open_experiment
    from ftaug.runs.ablation.variants import design

    file = open_experiment(config, trust_plugins=trust_plugins)
    designed = design(file, overrides or (), over or (), add or ())

    # import torch only after the file is known to be valid: it takes seconds
    from ftaug.engine.system.storage import storage_errors
    from ftaug.runs.ablation import ablate
    from ftaug.runs.report import ablation as report
    from ftaug.runs.report import console
    from ftaug.runs.study.study_folder import study_of
    from ftaug.runs.study.train_run import trainer

    path = output or ablate.default_folder(designed, file)
    folder = study_of(path, "ablate", designed.baseline)
    planned = ablate.specs(designed, overrides or (), seeds)
    variants = f"{len(designed.variants)} variant{'s' * (len(designed.variants) > 1)}"
    console.say(f"{len(planned)} runs in {path}: {variants} and the experiment, {seeds} seeds")
    runs = ablate.train_all(folder, file, planned, trainer(config, device.value, trust_plugins=trust_plugins))
    result = ablate.measure(designed, folder, runs, seeds)
    with storage_errors(f"cannot write into {path}"):
        plot = report.plot(result, path / report.PLOT_FILE)
    if as_json:
        print(console.to_json(report.as_json(result, plot)))
    else:
        report.show(result, plot)
