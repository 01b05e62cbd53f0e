"""`ftaug doctor`: check the data before training: unreadable samples, duplicates, classes and labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ftaug.commands.options import AsJson, Device, OnDevice, Overrides, TrustPlugins


def doctor(
    target: Annotated[
        Path, typer.Argument(help="An experiment file, or a folder of `ftaug train --folds`.", metavar="CONFIG|FOLDS")
    ],
    overrides: Overrides = None,
    labels: Annotated[
        bool,
        typer.Option(
            "--labels", help="Find wrong labels by features of the backbone; a folder of folds needs no option."
        ),
    ] = False,
    as_json: AsJson = False,
    device: OnDevice = Device.auto,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Check the data: unreadable samples, duplicates, label errors, classes."""
    from ftaug.runs.doctor.examine import examine
    from ftaug.runs.doctor.open_data import open_data
    from ftaug.runs.report import console
    from ftaug.runs.report import doctor as report

    data = open_data(target, overrides or (), trust_plugins=trust_plugins)
    diagnosis = examine(data, labels=labels, device=device.value, trust_plugins=trust_plugins)
    if as_json:
        print(console.to_json(report.as_json(diagnosis)))
    else:
        report.show(diagnosis)
    diagnosis.check()
