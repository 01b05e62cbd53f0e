"""Run the processes of a training, and start them again after failures that may pass (`--restarts`)."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ftaug.engine.system.launcher import POLL, Launcher, check_alone
from ftaug.errors import FtaugError, Interrupted, OutOfMemory, RankLost, Stopped, StorageError

MAY_PASS = (1, OutOfMemory.exit_code, RankLost.exit_code, StorageError.exit_code)
"""Exit codes after which the processes are started again; failures of a GPU or its driver end with 1."""

FIRST_DELAY, LONGEST_DELAY = 5.0, 60.0
"""Seconds to wait before the first restart, doubled before each further one."""


def launch(arguments: Sequence[str], processes: int | None, restarts: int, stopped: int = Stopped.exit_code) -> int:
    """Run `ftaug` in several processes, by default in one; return the exit code. Raises OutOfMemory, ExperimentError.

    The arguments are those of the command line without `--processes` and `--restarts`; `stopped` is the exit code of
    a run that was stopped, after which there is no restart.
    """
    check_alone(f"--restarts {restarts}" if processes is None else f"--processes {processes}")
    with tempfile.TemporaryDirectory(prefix="ftaug-") as folder:
        launcher = Launcher(processes or 1, Path(folder))
        with launcher.passing_on_signals():
            for number in range(1, restarts + 1):
                before = _checkpoints(launcher.run_folder)
                try:
                    code, failure = launcher.run(arguments), None
                except OutOfMemory as error:
                    code, failure = error.exit_code, error
                if code not in MAY_PASS or code == stopped or launcher.received:
                    return _end(code, failure)
                run = launcher.run_folder
                if number > 1 and _checkpoints(run) == before:
                    print("no restart: no checkpoint was saved since the last one", file=sys.stderr, flush=True)
                    return _end(code, failure)
                if not _wait(launcher, number, restarts, failure or f"exit code {code}"):
                    return Interrupted.exit_code if signal.SIGINT in launcher.received else stopped
                arguments = arguments if run is None else continuing(arguments, run)
            return launcher.run(arguments)


def _end(code: int, failure: FtaugError | None) -> int:
    if failure is not None:
        raise failure
    return code


def _wait(launcher: Launcher, number: int, restarts: int, reason: object) -> bool:
    """Wait before a restart; returns false if a signal comes meanwhile."""
    seconds = min(FIRST_DELAY * 2 ** (number - 1), LONGEST_DELAY)
    print(f"restart {number} of {restarts} in {seconds:g} seconds: {reason}", file=sys.stderr, flush=True)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if launcher.received:
            name = signal.Signals(launcher.received[0]).name
            print(f"stopped by {name} before a restart; the same command continues", file=sys.stderr, flush=True)
            return False
        time.sleep(POLL)
    return True


def _checkpoints(run: Path | None) -> frozenset[Path]:
    """List the checkpoints of a run and of its folds."""
    return frozenset() if run is None else frozenset(run.rglob("checkpoints/step-*"))


def continuing(arguments: Sequence[str], run: Path) -> Sequence[str]:
    """Return the arguments that continue a run folder, without the `--fresh` that created it."""
    if "--fresh" not in arguments:
        return arguments
    return [*without_options(arguments, {"--fresh": 0, "--run-dir": 1}), "--run-dir", str(run)]


def without_options(arguments: Sequence[str], options: Mapping[str, int]) -> list[str]:
    """Return the arguments of a command line without some options, which have so many values."""
    remaining, rest = [], iter(arguments)
    for argument in rest:
        name, separator, _ = argument.partition("=")
        if name not in options:
            remaining.append(argument)
        elif not separator:
            for _ in range(options[name]):
                next(rest)
    return remaining
