"""Start the processes of `--processes` on this machine, pass signals on to them, and end them together.

torch.distributed's own launcher loses the exit code of processes that a signal stopped, hence this one.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from ftaug.engine.system.signals import REQUESTS, blocked_requests, take_deferred, unblock
from ftaug.engine.system.world import of_environment
from ftaug.errors import ExperimentError, OutOfMemory, RankLost

PATIENCE = 30.0
"""Seconds that the other processes have to end after one has failed."""

POLL = 0.05


class Launcher:
    """Starts `ftaug` in several processes, once or several times, and passes requests to stop on to them."""

    def __init__(self, processes: int, folder: Path) -> None:
        """Keep the files of the processes in an empty folder; standard input is read when it is needed."""
        self.processes, self.folder = processes, folder
        self.received: list[int] = []  # signals
        self._running: list[subprocess.Popen[bytes]] = []

    def run(self, arguments: Sequence[str]) -> int:
        """Run `ftaug` with these arguments; return its exit code, 0 if all succeed. Raises OutOfMemory.

        The code is that of the first process that failed by itself, not for the loss of another.
        """
        for file in (self._file("rendezvous"), self._file("run")):
            file.unlink(missing_ok=True)
        before = list(self.received)
        try:
            with blocked_requests():  # inherited by the processes, until they can handle them
                self._running = [self._start(arguments, rank) for rank in range(self.processes)]
            for number in before:
                self._pass_on(number)
            codes = _wait(self._running)
        finally:
            for process in self._running:
                process.kill()
                process.wait()
        return _outcome(codes, self.folder, self.received)

    @property
    def run_folder(self) -> Path | None:
        """The run folder of the last start; None if it was not opened."""
        file = self._file("run")
        return Path(file.read_text(errors="surrogateescape")) if file.exists() else None

    @contextmanager
    def passing_on_signals(self) -> Iterator[None]:
        """Context manager that passes requests to stop on to the processes."""

        def pass_on(number: int, frame: FrameType | None) -> None:
            self.received.append(number)
            self._pass_on(number)

        before = {number: signal.signal(number, pass_on) for number in REQUESTS}
        self.received += take_deferred()
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _pass_on(self, number: int) -> None:
        for process in self._running:
            with suppress(ProcessLookupError):
                process.send_signal(number)

    def _start(self, arguments: Sequence[str], rank: int) -> subprocess.Popen[bytes]:
        """Start the process of a rank; what ranks above 0 print goes to files in the folder."""
        world = {"RANK": rank, "WORLD_SIZE": self.processes, "LOCAL_RANK": rank, "LOCAL_WORLD_SIZE": self.processes}
        variables = {
            **os.environ,
            **{name: str(value) for name, value in world.items()},
            "FTAUG_RENDEZVOUS": str(self._file("rendezvous")),
            "FTAUG_LAUNCHER": str(os.getpid()),
        }
        if rank == 0:
            variables["FTAUG_RUN_FILE"] = str(self._file("run"))
        if sys.platform == "linux":
            variables.setdefault("GLOO_SOCKET_IFNAME", "lo")
        command = [sys.executable, "-m", "ftaug", *arguments]
        with ExitStack() as stack:
            output = None if rank == 0 else stack.enter_context(_output_of(rank, self.folder).open("wb"))
            entered = self._standard_input(arguments, rank, stack)
            return subprocess.Popen(command, env=variables, stdin=entered, stdout=output, stderr=output)

    def _standard_input(self, arguments: Sequence[str], rank: int, stack: ExitStack) -> Any:
        """Return the standard input of a process: a copy of that of this one if the arguments name it."""
        if "-" not in arguments:
            return None if rank == 0 else subprocess.DEVNULL
        copy = self._file("stdin")
        if not copy.exists():
            with copy.open("wb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file)
        return stack.enter_context(copy.open("rb"))

    def _file(self, name: str) -> Path:
        return self.folder / name


def check_alone(option: str) -> None:
    """Raise ExperimentError if another launcher has started this process as one of several."""
    if "WORLD_SIZE" in os.environ:
        cause = "WORLD_SIZE is set, so torchrun or another launcher"
    elif (size := of_environment().size) > 1:
        cause = f"SLURM_STEP_NUM_TASKS is {size}, so srun"
    else:
        return
    raise ExperimentError(f"{option}: {cause} has started the processes; leave {option.split()[0]} out")


def follow_launcher() -> None:
    """In a process that `Launcher` started: stop as by SIGTERM when the launcher ends (on Linux)."""
    launcher = os.environ.pop("FTAUG_LAUNCHER", None)
    if launcher is None:
        return
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    if os.getppid() != int(launcher):
        os.kill(os.getpid(), signal.SIGTERM)
    unblock()


def announce_run(run: Path) -> None:
    """Tell the launcher, if there is one, which run folder this process writes."""
    if file := os.environ.get("FTAUG_RUN_FILE"):
        with suppress(OSError):
            Path(file).write_text(str(run), errors="surrogateescape")


def _output_of(rank: int, folder: Path) -> Path:
    return folder / f"rank-{rank}.txt"


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


def _outcome(codes: Mapping[int, int], folder: Path, received: Sequence[int] = ()) -> int:
    """Return the exit code of the run from those of its processes, in the order in which they ended.

    Prints the error of another rank than 0 if that is the cause. Raises OutOfMemory if a process was killed by another
    signal than those that the launcher received.
    """
    failures = {rank: code for rank, code in codes.items() if code}
    killed = next(((rank, -code) for rank, code in failures.items() if code < 0), None)
    if killed is not None:
        rank, number = killed
        if number in received:
            return 128 + number
        name = signal.Signals(number).name
        because = ", probably because memory ran out" if number == signal.SIGKILL else ""
        raise OutOfMemory(f"the process of rank {rank} was killed ({name}){because}; the same command continues")
    causes = {rank: code for rank, code in failures.items() if code != RankLost.exit_code}
    rank, code = next(iter({**causes, **failures}.items()), (0, 0))
    if rank and 0 not in causes:
        for line in _output_of(rank, folder).read_text(errors="backslashreplace").splitlines():
            print(f"rank {rank}: {line}", file=sys.stderr)
    return code
