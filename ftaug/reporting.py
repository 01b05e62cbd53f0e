"""Report errors to the user: lines on stderr, a JSON object on stdout with `--json`, and an exit code."""

import json
import os
import shutil
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

import typer

from ftaug.errors import FtaugError, as_known, printable, wrapped
from ftaug.streams import ReaderGone


def report(error: BaseException, *, debug: bool = False, as_json: bool = False, exit_code: int | None = None) -> int:
    """Report an error, if it is one; returns the exit code, which is the error's own unless another is given."""
    if isinstance(error, ReaderGone):
        return 0
    if isinstance(error, typer.Exit):
        return error.exit_code
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    if callable(getattr(error, "show", None)):  # a usage error, from whichever Click typer brings
        return _report_usage(error, as_json)
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        if as_json:
            print(error_as_json("stopped by Ctrl-C", 130))
        return 130
    if debug:
        traceback.print_exception(error)
    known = as_known(error)
    text = str(known) if known else _defect(error)
    print(wrapped(text, shutil.get_terminal_size().columns) if sys.stderr.isatty() else text, file=sys.stderr)
    code = exit_code if exit_code is not None else known.exit_code if known else FtaugError.exit_code
    if as_json and not (known and known.result_printed):
        print(error_as_json(known or text, code))
    return code


def report_at_once(error: FtaugError, *, as_json: bool, exit_code: int) -> None:
    """Report an error from a signal handler, past the streams, in whose midst the signal may have come."""
    with suppress(OSError):
        os.write(2, f"{error}\n".encode(errors="backslashreplace"))
        if as_json:
            os.write(1, f"{error_as_json(error, exit_code)}\n".encode())


def error_as_json(error: FtaugError | str, exit_code: int) -> str:
    """An error as `--json` prints it: its text, the exit code, and each problem with its place."""
    content: dict[str, Any] = {"error": str(error), "exit_code": exit_code}
    if isinstance(error, FtaugError):
        content["problems"] = [problem.as_dict() for problem in error.problems]
    return json.dumps(content, indent=2)


def _report_usage(error: Any, as_json: bool) -> int:
    if isinstance(getattr(error, "message", None), str):
        error.message = error.message.removeprefix("Value error, ")  # how Typer's own validation begins
    error.show()
    if as_json:
        print(error_as_json(error.format_message(), 2))
    return 2


def _defect(error: BaseException) -> str:
    """One line for an unexpected error, and the way to its traceback."""
    line = printable(f"{type(error).__name__}: {error}".partition("\n")[0])
    folder = getattr(error, "run_folder", None)
    if folder is None:
        return f"internal error (a bug in ftaug): {line} (to see the traceback: ftaug --debug COMMAND ...)"
    log = Path(folder, "crash.log")
    try:
        log.unlink(missing_ok=True)  # and not the file that a link of this name leads to
        with log.open("x", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(traceback.format_exception(error))
    except OSError:
        traceback.print_exception(error)
    return f"internal error (a bug in ftaug): {line} (traceback in {log})"
