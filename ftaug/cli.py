"""The command line: loads a command when it is called, and turns errors into exit codes."""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from ftaug import __version__
from ftaug.errors import ExperimentError, MissingInput, Unavailable
from ftaug.reporting import report
from ftaug.streams import open_streams

COMMANDS = {
    "train": "Train, or continue training; prints the run folder.",
    "pretrain": "Train the network on samples without their labels, and say whether its features became better.",
    "self-train": "Train on labeled and unlabeled samples; prints the run of the student, or one without it.",
    "status": "Print the state of a run, and end with its exit code: 0 complete or running, 75 to be continued.",
    "verify": "Check the files of a run against their hashes, and say what can be resumed.",
    "replay": "Repeat a step whose loss was not finite, and show its samples.",
    "diff": "Compare two runs bit by bit, and say where they part.",
    "reproduce": "Train a run again from its own folder, and say whether the bits are the same.",
    "search": "Try values of the search spaces in an experiment file, and confirm the best.",
    "slurm": "Print the batch script of a training on a Slurm cluster: it stops in time, and continues by itself.",
    "evaluate": "Measure a trained model.",
    "compare": "Compare runs on the same samples: differences with intervals and tests.",
    "calibrate": "Calibrate the probabilities of a trained model on validation, and report the effect.",
    "report": "Write a report of a run, or of several side by side, into one file.",
    "predict": "Predict the classes, or the numbers, of new samples.",
    "pseudo-label": "Label samples by the mean prediction of runs, for use as training data; prints the table's path.",
    "explain": "Show what predictions depend on, by methods that were tested on the model.",
    "export": "Export a trained model, and compare its predictions with the original's.",
    "blend": "Blend a run's first weights with its last; prints a run folder.",
    "soup": "Average several runs, keeping those that improve validation; prints a run folder.",
    "validate": "Check an experiment file without touching data or model.",
    "doctor": "Check the data: unreadable samples, duplicates, label errors, classes.",
    "ablate": "Measure what each part of an experiment contributes, by training without it.",
    "transfer": "Measure whether the augmentation of an experiment carries over to other backbones.",
    "choose": "Choose a backbone by features of the data, without training.",
    "inspect": "Show the data, the layers, and which are trainable at which rate.",
    "preview": "Show augmented samples, and say what each augmentation does.",
    "augment": "Write augmented copies of samples, or print their digest.",
    "pack": "Write the samples of data sets to tar archives, with an index and hashes.",
    "benchmark": "Profile a training step, and suggest what to change.",
    "lr-find": "Suggest a learning rate, from a short training.",
    "list": "List what an experiment file can name.",
    "schema": "Print the JSON Schema of the experiment file, for editors.",
    "init": "Write an experiment file for a folder or a table, with a reason beside each setting.",
    "cache": "Show or remove the caches.",
}
"""The commands with their help, so that `ftaug --help` need not import them."""

MODULES = {"lr-find": "lr_find", "list": "list_", "pseudo-label": "pseudo_label", "self-train": "self_train"}
"""The modules of commands, and the functions in them, that have other names."""


class LazyGroup(TyperGroup):
    """Imports the module of a command when the command is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands.update({name: TyperCommand(name, help=text, short_help=text) for name, text in COMMANDS.items()})

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        """Return the command that the arguments name, with its options."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command and load_command(str(command.name)), rest


def load_command(name: str) -> Any:
    """Import a command with its options."""
    module = MODULES.get(name, name)
    command = getattr(import_module(f"ftaug.commands.{module}"), module)
    if isinstance(command, typer.Typer):
        return get_command(command)
    single = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    single.command(name)(command)
    return get_command(single)


app = typer.Typer(
    name="ftaug",
    cls=LazyGroup,
    no_args_is_help=True,
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
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Fine-tune a pretrained model on your own data with augmentation."""
    if offline:
        os.environ["HF_HUB_OFFLINE"] = "1"  # read by the hub's library, and by ftaug where it downloads itself


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
        raise MissingInput("the working folder was removed; change to an existing one") from None


def _check_not_empty(arguments: list[str]) -> None:
    """Refuse empty arguments: an unset shell variable would otherwise name the working folder."""
    for number, argument in enumerate(arguments, 1):
        if not argument or re.fullmatch("--[a-z-]+=", argument):
            shown = f"{argument[:-1]} has no value" if argument else f"argument {number} is empty"
            raise ExperimentError(f"{shown}; is a shell variable unset?")
