"""`ftaug transfer`: measure whether the augmentation of an experiment carries over to other backbones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ftaug.commands.options import AsJson, Config, Device, OnDevice, Overrides, TrustPlugins


def transfer(
    config: Config,
    overrides: Overrides = None,
    to: Annotated[
        list[str] | None,
        typer.Option("--to", help="Backbones such as resnet18,timm/convnext_nano; may be repeated.", metavar="NAMES"),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            help="The augmentations to compare with, or none; default trivial_augment, for texts none.",
            metavar="NAMES",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(help="The number of seeds of each comparison.", min=2)] = 6,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="The folder of the runs, instead of runs/NAME-HASH-transfer.", metavar="DIR"
        ),
    ] = None,
    device: OnDevice = Device.auto,
    as_json: AsJson = False,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Measure whether the augmentation of an experiment carries over to other backbones."""
    from ftaug.experiment_file import open_experiment
    from ftaug.runs.policy.transfer import targets_of

    file = open_experiment(config, trust_plugins=trust_plugins)
    targets = targets_of(file, overrides or (), to or (), against)

    # import torch only after the file is known to be valid: it takes seconds
    from ftaug.runs.policy.compare_targets import compare_targets, default_folder
    from ftaug.runs.report import console
    from ftaug.runs.report import transfer as report
    from ftaug.runs.study.train_run import trainer

    path = output or default_folder(file, overrides or ())
    train = trainer(config, device.value, trust_plugins=trust_plugins)
    results = compare_targets(file, targets, path, seeds, train)
    if as_json:
        print(console.to_json(report.as_json(results, path)))
    else:
        report.show(results, path)
