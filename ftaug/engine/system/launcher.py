"""Start the processes of `--processes` on this machine, pass signals on to them, and end them together.

torch.distributed's own launcher loses the exit code of processes that a signal stopped, hence this one.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from ftaug.engine.system.signals import REQUESTS
from ftaug.errors import ExperimentError, OutOfMemory, RankLost

PATIENCE = 30.0
"""Seconds that the other processes have to end after one has failed."""

POLL = 0.05


def launch(arguments: Sequence[str], processes: int) -> int:
    """Run `ftaug` with these arguments in several processes; return their exit code. Raises OutOfMemory.

    The code is that of the first process that failed by itself, not for the loss of another.
    """
    if "WORLD_SIZE" in os.environ:
        text = "WORLD_SIZE is set, so torchrun or another launcher has started the processes; leave --processes out"
        raise ExperimentError(f"--processes {processes}: {text}")
    with tempfile.TemporaryDirectory(prefix="ftaug-") as folder:
        running = [_start(arguments, rank, processes, Path(folder)) for rank in range(processes)]
        try:
            with _passing_on_signals(running):
                codes = _wait(running)
        finally:
            for process in running:
                process.kill()
                process.wait()
        return _outcome(codes, Path(folder))


def follow_launcher() -> None:
    """In a process that `launch` started: stop as by SIGTERM when the launcher ends (on Linux)."""
    launcher = os.environ.pop("FTAUG_LAUNCHER", None)
    if launcher is None:
        return
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    if os.getppid() != int(launcher):
        os.kill(os.getpid(), signal.SIGTERM)


def _start(arguments: Sequence[str], rank: int, processes: int, folder: Path) -> subprocess.Popen[bytes]:
    """Start the process of a rank; what ranks above 0 print goes to files in the folder."""
    world = {"RANK": rank, "WORLD_SIZE": processes, "LOCAL_RANK": rank, "LOCAL_WORLD_SIZE": processes}
    variables = {
        **os.environ,
        **{name: str(value) for name, value in world.items()},
        "FTAUG_RENDEZVOUS": str(folder / "rendezvous"),
        "FTAUG_LAUNCHER": str(os.getpid()),
    }
    if sys.platform == "linux":
        variables.setdefault("GLOO_SOCKET_IFNAME", "lo")
    command = [sys.executable, "-m", "ftaug", *arguments]
    if rank == 0:
        return subprocess.Popen(command, env=variables)
    with _output_of(rank, folder).open("wb") as output:
        return subprocess.Popen(command, env=variables, stdin=subprocess.DEVNULL, stdout=output, stderr=output)


def _output_of(rank: int, folder: Path) -> Path:
    return folder / f"rank-{rank}.txt"


@contextmanager
def _passing_on_signals(running: Sequence[subprocess.Popen[bytes]]) -> Iterator[None]:
    """Context manager that passes requests to stop on to the processes."""

    def pass_on(number: int, frame: FrameType | None) -> None:
        for process in running:
            with suppress(ProcessLookupError):
                process.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in REQUESTS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(running: Sequence[subprocess.Popen[bytes]]) -> Mapping[int, int]:
    """Wait for all processes, after the failure of one at most PATIENCE seconds; return codes by rank as they ended."""
    codes: dict[int, int] = {}
    deadline = None
    while len(codes) < len(running):
        for rank, process in enumerate(running):
            if rank not in codes and process.poll() is not None:
                codes[rank] = process.returncode
                if process.returncode and deadline is None:
                    deadline = time.monotonic() + PATIENCE
        if deadline is not None and time.monotonic() > deadline:
            return codes
        time.sleep(POLL)
    return codes


def _outcome(codes: Mapping[int, int], folder: Path) -> int:
    """Return the exit code of the run from those of its processes, in the order in which they ended.

    Prints the error of another rank than 0 if that is the cause. Raises OutOfMemory if a process was killed.
    """
    failures = {rank: code for rank, code in codes.items() if code}
    killed = next(((rank, -code) for rank, code in failures.items() if code < 0), None)
    if killed is not None:
        rank, number = killed
        name = signal.Signals(number).name
        because = ", probably because memory ran out" if number == signal.SIGKILL else ""
        raise OutOfMemory(f"the process of rank {rank} was killed ({name}){because}; the same command continues")
    causes = {rank: code for rank, code in failures.items() if code != RankLost.exit_code}
    rank, code = next(iter({**causes, **failures}.items()), (0, 0))
    if rank and 0 not in causes:
        for line in _output_of(rank, folder).read_text(errors="backslashreplace").splitlines():
            print(f"rank {rank}: {line}", file=sys.stderr)
    return code
