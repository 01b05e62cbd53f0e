"""`ftaug train`: train an experiment, or resume its run from the latest checkpoint."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from ftaug.commands.options import AsJson, Device, OnDevice, Overrides, Require, TrustPlugins
from ftaug.errors import FtaugError, Stopped
from ftaug.reporting import report, report_at_once


def train(
    config: Annotated[
        Path,
        typer.Argument(help="The experiment file, - for standard input, or a run to continue.", metavar="CONFIG|RUN"),
    ],
    overrides: Overrides = None,
    run_dir: Annotated[Path | None, typer.Option(help="The run folder, instead of runs/NAME-HASH.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over in a new folder.")] = False,
    from_: Annotated[
        Path | None, typer.Option("--from", help="Start from the weights of another run.", metavar="RUN")
    ] = None,
    as_json: AsJson = False,
    require: Require = None,
    requeue_exit_code: Annotated[
        int, typer.Option(help="Exit code when stopped with a checkpoint to continue from.", min=0, max=255)
    ] = 75,
    trust_plugins: TrustPlugins = False,
    device: OnDevice = Device.auto,
    timestamps: Annotated[
        bool,
        typer.Option("--timestamps", envvar="FTAUG_TIMESTAMPS", help="Begin lines on stderr with the time of day."),
    ] = False,
    folds: Annotated[
        int | None,
        typer.Option(help="Number of folds; each run validates on a different part.", metavar="COUNT"),
    ] = None,
    with_report: Annotated[
        bool, typer.Option("--report/--no-report", help="Write a report on validation; folds get none.")
    ] = True,
    processes: Annotated[
        int | None, typer.Option(help="Number of processes on this machine that train together.", min=1)
    ] = None,
    restarts: Annotated[
        int, typer.Option(help="Restart at most so many times after a crash, lost processes or a full disk.", min=0)
    ] = 0,
) -> None:
    """Train, or continue training; prints the run folder."""
    if processes is not None or restarts:
        from ftaug.engine.system.restarts import launch, without_options

        arguments = without_options(sys.argv[1:], {"--processes": 1, "--restarts": 1})
        raise typer.Exit(launch(arguments, processes, restarts, requeue_exit_code))

    from ftaug.config.strict_json import dumps
    from ftaug.engine.system.launcher import follow_launcher
    from ftaug.engine.system.signals import ended_by_signals
    from ftaug.engine.system.world import of_environment
    from ftaug.runs.requirements import Requirement, check
    from ftaug.runs.train_file import train_file

    def end_at_once(error: FtaugError) -> NoReturn:
        code = requeue_exit_code if isinstance(error, Stopped) else error.exit_code
        report_at_once(error, as_json=as_json, exit_code=code)
        os._exit(code)

    os.environ["FTAUG_TIMESTAMPS"] = str(int(timestamps))
    follow_launcher()
    try:
        with ended_by_signals(end_at_once):
            requirements = [Requirement.parse(text) for text in require or ()]
            result = train_file(
                config,
                overrides or (),
                run_dir=run_dir,
                fresh=fresh,
                from_=from_,
                folds=folds,
                device=device.value,
                trust_plugins=trust_plugins,
                requirements=requirements,
                report=with_report,
            )
            if of_environment().is_first:
                print(dumps(result) if as_json else result["run"])
            check(requirements, result.get("metrics") or {})
    except Stopped as error:
        raise typer.Exit(report(error, as_json=as_json, exit_code=requeue_exit_code)) from None
