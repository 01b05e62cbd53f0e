"""`ftaug doctor`: check the data before training: unreadable samples, duplicates, classes and labels."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ftaug.commands.options import AsJson, Device, OnDevice, Overrides, TrustPlugins
from ftaug.errors import ExperimentError


class Fix(StrEnum):
    """What to fix in the table of labels."""

    groups = "groups"


def doctor(
    target: Annotated[
        Path, typer.Argument(help="An experiment file, or a folder of `ftaug train --folds`.", metavar="CONFIG|FOLDS")
    ],
    overrides: Overrides = None,
    labels: Annotated[
        bool,
        typer.Option(
            "--labels",
            help="Find wrong labels and similar samples by features of the backbone; "
            "the labels of a folder of folds are checked without it.",
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="Write a table of all labels and a contact sheet into this folder.", metavar="DIR"
        ),
    ] = None,
    fix: Annotated[
        Fix | None,
        typer.Option(help="groups: add a column to the table that keeps duplicates on one side of a split."),
    ] = None,
    as_json: AsJson = False,
    device: OnDevice = Device.auto,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Check the data: unreadable samples, duplicates, label errors, classes."""
    if fix is not None and output is None:
        raise ExperimentError("--fix groups: writes a table; name its folder with --output")

    from ftaug.runs.doctor.examine import examine
    from ftaug.runs.doctor.open_data import open_data
    from ftaug.runs.report import console
    from ftaug.runs.report import doctor as report

    data = open_data(target, overrides or (), trust_plugins=trust_plugins)
    diagnosis = examine(data, labels=labels, device=device.value, trust_plugins=trust_plugins)
    files = None if output is None else report.write(diagnosis, output, with_groups=fix is Fix.groups)
    if as_json:
        print(console.to_json(report.as_json(diagnosis, files)))
    else:
        report.show(diagnosis, files)
    diagnosis.check()
