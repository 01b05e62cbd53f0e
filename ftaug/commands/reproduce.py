"""`ftaug reproduce`: train a run again from its own folder, and compare the two bit by bit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from ftaug.commands.options import AsJson, Device, OnDevice, Run, TrustPlugins
from ftaug.errors import FtaugError, NotReached
from ftaug.reporting import report_at_once


def reproduce(
    run: Run,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The folder of the new run; default RUN-reproduced.", metavar="DIR"),
    ] = None,
    as_json: AsJson = False,
    device: OnDevice = Device.auto,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Train a run again from its own folder, and say whether the bits are the same."""
    from ftaug.engine.system.signals import ended_by_signals
    from ftaug.runs import reproduce as reproduction
    from ftaug.runs.report import console
    from ftaug.runs.report import run_diff as report

    def end_at_once(error: FtaugError) -> NoReturn:
        report_at_once(error, as_json=as_json, exit_code=error.exit_code)
        os._exit(error.exit_code)

    with ended_by_signals(end_at_once):
        target = output or reproduction.default_output(run)
        result = reproduction.reproduce(run, target, device.value, trust_plugins=trust_plugins)
    if as_json:
        print(console.to_json(report.as_json(result)))
    else:
        report.show(result)
    if not result.is_same:
        raise NotReached(f"{run} is not reproduced: {report.verdict(result)}")
