"""`ftaug choose`: choose a pretrained backbone by its features, before any training."""

from __future__ import annotations

from typing import Annotated

import typer

from ftaug.commands.options import AsJson, Config, Device, OnDevice, Overrides, TrustPlugins


def choose(
    config: Config,
    overrides: Overrides = None,
    among: Annotated[
        list[str] | None,
        typer.Option(
            help="Backbones such as resnet18,timm/resnet50, also with settings: {hf: {name: ...}}; may be repeated.",
            metavar="NAMES",
        ),
    ] = None,
    device: OnDevice = Device.auto,
    as_json: AsJson = False,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Choose a backbone by features of the data, without training."""
    from ftaug.experiment_file import open_experiment
    from ftaug.runs.backbone_choice.candidates import candidates_of

    file = open_experiment(config, trust_plugins=trust_plugins)
    candidates = candidates_of(file, overrides or (), among or ())

    from ftaug.runs.backbone_choice.choose import choose
    from ftaug.runs.report import backbone_choice as report
    from ftaug.runs.report import console

    choice = choose(candidates, device.value)
    if as_json:
        print(console.to_json(report.as_json(choice)))
    else:
        report.show(choice)
