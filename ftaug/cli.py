"""The commands. Turns errors into exit codes; imports what a command needs inside its body."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from ftaug import __version__
from ftaug.errors import FtaugError, Problem, StorageError, printable

app = typer.Typer(
    name="ftaug",
    help="Fine-tune a pretrained model on your own data with augmentation.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Device(str, Enum):
    """Where to compute."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


class Part(str, Enum):
    """A part of the data."""

    train = "train"
    val = "val"
    test = "test"


Config = Annotated[Path, typer.Argument(help="The experiment file.", metavar="CONFIG", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(
        help="Changes such as train.epochs=5, augment+=rotate or ~mix.", metavar="[KEY=VALUE]...", show_default=False
    ),
]
Run = Annotated[Path, typer.Argument(help="The run folder.", metavar="RUN", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Require = Annotated[
    list[str] | None,
    typer.Option(
        help='End with exit code 5 unless reached, such as "accuracy>=0.9".', metavar="CONDITION", show_default=False
    ),
]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"ftaug {__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Fine-tune a pretrained model on your own data with augmentation."""


@app.command()
def train(
    config: Config,
    overrides: Overrides = None,
    run_dir: Annotated[
        Path | None, typer.Option(help="The run folder, instead of runs/NAME-HASH.", show_default=False)
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over in a new folder.")] = False,
    from_: Annotated[
        Path | None,
        typer.Option("--from", help="Start from the weights of another run.", metavar="RUN", show_default=False),
    ] = None,
    json: AsJson = False,
    require: Require = None,
    requeue_exit_code: Annotated[
        int, typer.Option(help="Exit code when stopped with a checkpoint: the same command continues.", min=1, max=255)
    ] = 75,
    trust_plugins: Annotated[
        bool, typer.Option("--trust-plugins", help="Run the plugins in another user's run folder.")
    ] = False,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.auto,
) -> None:
    """Train, or continue training; prints the run folder."""
    from ftaug.commands.train import run

    _end(
        run(
            config=config,
            overrides=overrides or [],
            run_dir=run_dir,
            fresh=fresh,
            from_=from_,
            json=json,
            require=require or [],
            requeue_exit_code=requeue_exit_code,
            trust_plugins=trust_plugins,
            device=device.value,
        )
    )


@app.command()
def evaluate(
    run: Run,
    split: Annotated[
        Part | None, typer.Option(help="What to measure on; test if there is one, else val.", show_default=False)
    ] = None,
    json: AsJson = False,
    require: Require = None,
) -> None:
    """Measure a trained model."""
    from ftaug.commands import evaluate

    _end(evaluate.run(run=run, split=split.value if split else None, json=json, require=require or []))


@app.command()
def predict(
    run: Run,
    inputs: Annotated[list[str], typer.Argument(help="Files or folders.", metavar="INPUT...", show_default=False)],
    top_k: Annotated[int, typer.Option(help="How many classes to name for each input.", min=1)] = 1,
    json: AsJson = False,
    csv: Annotated[
        Path | None, typer.Option(help="Write the predictions to this file.", metavar="FILE", show_default=False)
    ] = None,
) -> None:
    """Predict the classes of files."""
    from ftaug.commands import predict

    _end(predict.run(run=run, inputs=inputs, top_k=top_k, json=json, csv=csv))


@app.command()
def export(
    run: Run,
    formats: Annotated[
        list[str],
        typer.Option(
            "--format", help="What to write; can be given several times. See `ftaug list exporter`.", metavar="NAME"
        ),
    ] = ["onnx"],  # noqa: B006
    json: AsJson = False,
) -> None:
    """Write a trained model for use elsewhere, and compare its answers with the original's."""
    from ftaug.commands import export

    _end(export.run(run=run, formats=formats, json=json))


@app.command()
def validate(
    config: Config,
    overrides: Overrides = None,
    plugins: Annotated[
        bool, typer.Option("--plugins/--no-plugins", help="Import the plugins that the file lists.")
    ] = True,
    json: AsJson = False,
) -> None:
    """Check an experiment file without touching data or model."""
    from ftaug.commands import validate

    _end(validate.run(config=config, overrides=overrides or [], plugins=plugins, json=json))


@app.command()
def inspect(
    target: Annotated[
        Path, typer.Argument(help="An experiment file or a run folder.", metavar="CONFIG|RUN", show_default=False)
    ],
    overrides: Overrides = None,
    json: AsJson = False,
) -> None:
    """Show the data, the model's layers and what learns at which rate."""
    from ftaug.commands import inspect

    _end(inspect.run(target=target, overrides=overrides or [], json=json))


@app.command()
def preview(
    config: Config,
    overrides: Overrides = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The picture to write.", metavar="FILE")] = Path(
        "sheet.png"
    ),
) -> None:
    """Draw a sheet of augmented training samples."""
    from ftaug.commands import preview

    _end(preview.run(config=config, overrides=overrides or [], output=output))


@app.command(name="list")
def list_components(
    kind: Annotated[str | None, typer.Argument(help="Such as augmentation or optimizer.", show_default=False)] = None,
    name: Annotated[str | None, typer.Argument(help="One component, with its settings.", show_default=False)] = None,
    json: AsJson = False,
) -> None:
    """List what an experiment file can name."""
    from ftaug.commands import list_

    _end(list_.run(kind=kind, name=name, json=json))


@app.command()
def schema() -> None:
    """Print the JSON Schema of the experiment file, for editors."""
    from ftaug.commands import schema

    _end(schema.run())


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="A folder with one folder of pictures per class.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file to write; FOLDER.yaml unless given.", show_default=False),
    ] = None,
) -> None:
    """Write an experiment file for a folder of pictures."""
    from ftaug.commands import init

    _end(init.run(folder=folder, output=output))


def _end(code: int | None) -> None:
    if code:
        raise typer.Exit(code)


def main() -> None:
    """Run the command line and end with the exit code that the outcome has."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line; returns its exit code."""
    debug = "--debug" in arguments
    try:
        code = app(arguments, standalone_mode=False)
        sys.stdout.flush()
    except BaseException as error:
        return report(error, debug=debug)
    return code if isinstance(code, int) else 0


def report(error: BaseException, *, debug: bool = False) -> int:
    """Tell the user about an error on stderr; returns the exit code."""
    if isinstance(error, SystemExit | KeyboardInterrupt | BrokenPipeError) or type(error).__name__ in ("Exit", "Abort"):
        return _quiet(error)
    if callable(show := getattr(error, "show", None)):  # a usage error of the command line
        show()
        return 2
    if debug:
        traceback.print_exception(error)
    known = as_known(error)
    if known is not None:
        for problem in known.problems:
            print(problem, file=sys.stderr)
        return known.exit_code
    print(_defect(error), file=sys.stderr)
    return 1


def _quiet(error: BaseException) -> int:
    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    exit_code = getattr(error, "exit_code", None)
    return exit_code if isinstance(exit_code, int) and type(error).__name__ == "Exit" else 130


def as_known(error: BaseException) -> FtaugError | None:
    """The error that a user can act upon, or None for a defect."""
    from ftaug.errors import OutOfMemory

    if isinstance(error, FtaugError):
        return error
    text = str(error)
    no_memory = ("can't allocate memory", "out of memory", "Cannot allocate memory", "not enough memory")
    if isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(words in text for words in no_memory)
    ):
        return OutOfMemory(
            "out of memory: try a smaller data.batch_size (with train.accumulate), fewer data.workers or smaller pictures"
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
        return StorageError(Problem(f"{error.filename or 'a file'}: {os.strerror(error.errno)}"))
    return None


def _defect(error: BaseException) -> str:
    """One line for an error that nobody foresaw, and where its traceback is."""
    line = printable(f"{type(error).__name__}: {error}".partition("\n")[0])
    folder: Any = getattr(error, "run_folder", None)
    if folder is not None:
        try:
            log = Path(folder, "crash.log")
            log.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
            return f"a defect in ftaug: {line} (traceback in {log})"
        except OSError:
            pass
    return f"a defect in ftaug: {line} (for the traceback: ftaug --debug …)"
