"""Arguments and options that several commands share."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Device(StrEnum):
    """Where to compute."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


class Split(StrEnum):
    """A split of the data."""

    train = "train"
    val = "val"
    test = "test"


Config = Annotated[Path, typer.Argument(help="The experiment file.", metavar="CONFIG")]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(help="Changes such as train.epochs=5, augment+=rotate or ~mix.", metavar="KEY=VALUE"),
]
Run = Annotated[Path, typer.Argument(help="The run folder.", metavar="RUN")]
Inputs = Annotated[
    list[str],
    typer.Argument(
        help="Files or folders; for texts also - (lines of standard input), tables, or the texts themselves.",
        metavar="INPUT...",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
OnDevice = Annotated[Device, typer.Option(help="Where to compute.")]
TrustPlugins = Annotated[bool, typer.Option("--trust-plugins", help="Run plugins in another user's run folder.")]
Require = Annotated[
    list[str] | None,
    typer.Option(
        "--require", help='End with exit code 5 unless reached, such as "accuracy>=0.9".', metavar="CONDITION"
    ),
]
Confidence = Annotated[
    float | None,
    typer.Option(help="Least probability of a label, instead of one chosen on validation.", min=0.0, max=1.0),
]
Precision = Annotated[
    float,
    typer.Option(help="Share of right labels, among validation samples, by which it is chosen.", min=0.0, max=1.0),
]
Processes = Annotated[int | None, typer.Option(help="Number of processes on this machine that share the work.", min=1)]


def share_work(processes: int | None) -> None:
    """Run this command in several processes if that is requested, and exit with their code."""
    from ftaug.engine.system.launcher import follow_launcher
    from ftaug.engine.system.restarts import launch, without_options

    if processes is not None:
        raise typer.Exit(launch(without_options(sys.argv[1:], {"--processes": 1}), processes, restarts=0))
    follow_launcher()
