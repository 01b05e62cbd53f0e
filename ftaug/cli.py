"""The command line: registers the commands and turns errors into exit codes."""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from ftaug import __version__
from ftaug.commands.augment import augment
from ftaug.commands.benchmark import benchmark
from ftaug.commands.blend import blend
from ftaug.commands.cache import cache
from ftaug.commands.evaluate import evaluate
from ftaug.commands.export import export
from ftaug.commands.init import init
from ftaug.commands.inspect import inspect
from ftaug.commands.list_ import list_components
from ftaug.commands.lr_find import lr_find
from ftaug.commands.predict import predict
from ftaug.commands.preview import preview
from ftaug.commands.schema import schema
from ftaug.commands.soup import soup
from ftaug.commands.train import train
from ftaug.commands.validate import validate
from ftaug.errors import ExperimentError, MissingInput, Unavailable
from ftaug.reporting import report
from ftaug.streams import open_streams

app = typer.Typer(
    name="ftaug",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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


commands: tuple[Callable[..., None], ...] = (
    *(train, evaluate, predict, export, blend, soup),
    *(validate, inspect, preview, augment, benchmark, lr_find),
)
for command in commands:
    app.command()(command)
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
