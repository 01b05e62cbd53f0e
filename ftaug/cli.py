"""The commands. Turns errors into exit codes; imports what a command needs inside its body."""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from ftaug import __version__
from ftaug.commands.augment import augment
from ftaug.commands.benchmark import benchmark
from ftaug.commands.blend import blend
from ftaug.commands.cache import cache
from ftaug.commands.export import export
from ftaug.commands.init import init
from ftaug.commands.inspect import inspect
from ftaug.commands.list_ import list_components
from ftaug.commands.lr_find import lr_find
from ftaug.commands.options import AsJson, Device, Overrides, Require, Run, TrustPlugins
from ftaug.commands.predict import predict
from ftaug.commands.preview import preview
from ftaug.commands.schema import schema
from ftaug.commands.soup import soup
from ftaug.commands.validate import validate
from ftaug.errors import ExperimentError, FtaugError, MissingInput, Stopped, Unavailable
from ftaug.reporting import report, report_at_once
from ftaug.streams import open_streams

app = typer.Typer(
    name="ftaug",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Part(StrEnum):
    """A part of the data."""

    train = "train"
    val = "val"
    test = "test"


def _version(wanted: bool) -> None:
    if wanted:
        print(f"ftaug {__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Never download; use local weights only.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Fine-tune a pretrained model on your own data with augmentation."""
    if offline:
        os.environ["HF_HUB_OFFLINE"] = "1"  # read by the hub's library, and by ftaug where it downloads itself


@app.command()
def train(
    config: Annotated[
        Path,
        typer.Argument(help="The experiment file, - for standard input, or a run to continue.", metavar="CONFIG|RUN"),
    ],
    overrides: Overrides = None,
    run_dir: Annotated[Path | None, typer.Option(help="The run folder, instead of runs/NAME-HASH.")] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start over in a new folder; continue there after a stop.")
    ] = False,
    from_: Annotated[
        Path | None, typer.Option("--from", help="Start from the weights of another run.", metavar="RUN")
    ] = None,
    as_json: AsJson = False,
    require: Require = None,
    requeue_exit_code: Annotated[
        int, typer.Option(help="Exit code when stopped with a checkpoint to continue from.", min=0, max=255)
    ] = 75,
    trust_plugins: TrustPlugins = False,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.auto,
    folds: Annotated[
        int | None,
        typer.Option(help="Number of folds; each run validates on a different part.", metavar="COUNT"),
    ] = None,
) -> None:
    """Train, or continue training; prints the run folder."""
    from ftaug.commands.train import run
    from ftaug.engine.system.signals import ended_by_signals

    def end_at_once(error: FtaugError) -> NoReturn:
        code = requeue_exit_code if isinstance(error, Stopped) else error.exit_code
        report_at_once(error, as_json=as_json, exit_code=code)
        os._exit(code)

    try:
        with ended_by_signals(end_at_once):
            run(
                config=config,
                overrides=overrides or [],
                run_dir=run_dir,
                fresh=fresh,
                from_=from_,
                as_json=as_json,
                require=require or [],
                trust_plugins=trust_plugins,
                device=device.value,
                folds=folds,
            )
    except Stopped as error:
        raise typer.Exit(report(error, as_json=as_json, exit_code=requeue_exit_code)) from None


@app.command()
def evaluate(
    run: Run,
    split: Annotated[Part | None, typer.Option(help="What to measure on; test if there is one, else val.")] = None,
    as_json: AsJson = False,
    require: Require = None,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Measure a trained model."""
    from ftaug.commands import evaluate

    part = split.value if split else None
    evaluate.run(run=run, split=part, as_json=as_json, require=require or [], trust_plugins=trust_plugins)


app.command()(predict)


app.command()(export)


app.command()(blend)


app.command()(soup)


app.command()(validate)


app.command()(inspect)


app.command()(preview)


app.command()(augment)


app.command()(benchmark)


app.command()(lr_find)


app.command(name="list")(list_components)


app.command()(schema)


app.add_typer(cache, name="cache")


app.command()(init)


def main() -> None:
    """Run the command line and end with the exit code that the outcome has."""
    # Threads that spin while they wait would take the cores from the processes that prepare the next batch.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    open_streams()
    _end(run(sys.argv[1:]))


def _end(code: int) -> NoReturn:
    """End the process without taking PyTorch apart module by module, which takes longer than a second."""
    atexit._run_exitfuncs()
    with contextlib.suppress(OSError):  # after an error; without one, `run` has seen to it
        sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def run(arguments: list[str]) -> int:
    """Run one command line; returns its exit code."""
    try:
        _check_process()
        _check_not_empty(arguments)
        code = app(arguments, prog_name="ftaug", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except BaseException as error:
        return report(error, debug="--debug" in arguments, as_json="--json" in arguments)


def _check_process() -> None:
    """Refuse what no command can run in."""
    if sys.flags.optimize > 1:
        raise Unavailable("python -OO removes the docstrings that ftaug reads; run python -O, or unset PYTHONOPTIMIZE")
    try:
        Path.cwd()
    except FileNotFoundError:
        raise MissingInput("the working folder was removed; change to one that is there") from None


def _check_not_empty(arguments: list[str]) -> None:
    """Refuse empty arguments: an unset shell variable would otherwise name the working folder."""
    for number, argument in enumerate(arguments, 1):
        if not argument or re.fullmatch("--[a-z-]+=", argument):
            shown = f"{argument[:-1]} has no value" if argument else f"argument {number} is empty"
            raise ExperimentError(f"{shown}; is a shell variable unset?")
