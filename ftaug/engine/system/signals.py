"""Requests to stop: signals, a time limit and a stop file set a flag that the loop reads between two steps."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, ClassVar, NoReturn, Self

from ftaug.errors import FtaugError, Interrupted, Stopped

REQUESTS = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGUSR1", "SIGUSR2", "SIGINT", "SIGHUP") if hasattr(signal, name)
)
URGENT = (signal.SIGINT, signal.SIGTERM)
ECHO = 1.0  # seconds in which a launcher may deliver the same signal twice, to the process and to its group
RESERVE = 20.0  # seconds kept at the end of a Slurm job, before the run has measured what it needs


_held: list[int] = []
"""Signals that came before anything could be done about them; see `hold`."""


def hold() -> None:
    """Keep requests to stop, but Ctrl-C, for the first `StopRequests`: called before slow imports."""
    for number in REQUESTS:
        if number != signal.SIGINT and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda number, frame: _held.append(number))


class StopRequests:
    """While entered, requests to stop are noted in `reason`; the same request once more stops at once.

    Within `at_once` a signal ends the process where it arrives.
    """

    current: ClassVar[Self | None] = None
    before_exit: ClassVar[list[Callable[[], object]]] = []
    """What is called before a signal ends the process."""

    def __init__(self, deadline: float | None = None, stop_file: Path | None = None) -> None:
        """Take the time (as of `time.time()`) to stop at, and a file whose appearance means stop."""
        self._deadline, self._job_end = deadline, _job_end()
        self.reserve = RESERVE  # seconds that must be left of a Slurm job, to save in
        self._stop_file = stop_file
        self._reason: str | None = None
        self._at_once = False
        self._since: dict[str, float] = {}  # when each kind of request came first
        self._old: dict[int, Any] = {}
        self._outer: StopRequests | None = None
        self._report: Callable[[FtaugError], object] = lambda error: _tell(str(error))

    @property
    def reason(self) -> str | None:
        """Why to stop: `Ctrl-C`, the name of a signal, `time limit` or `stop file`; None to go on."""
        if self._reason is None:
            limits = (self._deadline, self._job_end and self._job_end - self.reserve)
            if any(limit is not None and time.time() >= limit for limit in limits):
                self._reason = "time limit"
            elif self._stop_file is not None and self._stop_file.exists():
                self._reason = "stop file"
                with suppress(OSError):  # so that the next start does not stop again
                    self._stop_file.unlink()
        return self._reason

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Within, a signal ends the process where it arrives: for work of which nothing has to be saved.

        An exception would not do: one that is raised while a library's C++ code runs may abort the process.
        """
        before, self._at_once = self._at_once, True
        try:
            if self._since and self._reason is not None:
                self._end(self._reason)
            while _held:
                self._note(_held.pop(0), None)
            yield
        finally:
            self._at_once = before

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._outer, StopRequests.current = StopRequests.current, self
            if self._outer is not None:
                self._reason, self._since, self._report = self._outer._reason, self._outer._since, self._outer._report
            for number in REQUESTS:
                if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, or a shell's background job
                    self._old[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if StopRequests.current is self:
            StopRequests.current = self._outer
            if self._outer is not None:
                self._outer._reason = self._outer._reason or self._reason
        for number, handler in self._old.items():
            signal.signal(number, handler)
        self._old.clear()

    def _note(self, number: int, frame: FrameType | None) -> None:
        """Set the flag, or end the process, as the second request of a kind always does."""
        name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
        kind = "urgent" if number in URGENT else name
        now = time.monotonic()
        if now - self._since.setdefault(kind, now) > ECHO:
            if number == signal.SIGINT:
                raise KeyboardInterrupt
            os._exit(128 + number)
        if self._reason is None:
            self._reason = name
            if self._at_once:
                self._end(name)
            _tell(f"{name}: saving after this step; the same signal once more stops at once")

    def _end(self, reason: str) -> NoReturn:
        for last in self.before_exit:
            with suppress(OSError, FtaugError):
                last()
        text = f"stopped by {reason} with nothing to save; run the same command again"
        error = Interrupted(text) if reason == "Ctrl-C" else Stopped(text)
        self._report(error)
        os._exit(error.exit_code)


@contextmanager
def ended_by_signals(report: Callable[[FtaugError], object]) -> Iterator[None]:
    """Within, signals end the process, those that were held before too, except where StopRequests are entered.

    `report` is called with the error that the exit code stands for, and may end the process itself.
    """
    with StopRequests() as stop:
        stop._report = report
        with stop.at_once():
            yield


def ignore_in_worker(worker: int = 0) -> None:
    """For a data loader's worker: leave signals to the parent, and do not outlive it."""
    _ignore_requests()
    if hasattr(signal, "sigwaitinfo"):
        threading.Thread(target=_end_when_the_parent_asks, daemon=True).start()
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():
        os._exit(1)


def _ignore_requests() -> None:
    for number in REQUESTS:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "sigwaitinfo"):  # an ignored signal could not be waited for, a blocked one can
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _ignore_in_forked_child() -> None:
    """A signal may come before the worker gets to `ignore_in_worker`."""
    if StopRequests.current is not None:
        _ignore_requests()


os.register_at_fork(after_in_child=_ignore_in_forked_child)


def _end_when_the_parent_asks() -> None:
    """A SIGTERM to the whole group is not for a worker, one from its parent is."""
    while signal.sigwaitinfo([signal.SIGTERM]).si_pid != os.getppid():
        pass
    os._exit(0)


def _job_end() -> float | None:
    """When the Slurm job ends that this process is in."""
    end = os.environ.get("SLURM_JOB_END_TIME", "")
    return float(end) if end.isdecimal() else None


def _tell(message: str) -> None:
    """Write to stderr in a way that is safe within a signal handler."""
    with suppress(OSError):
        behind_the_bar = "\n" if os.isatty(2) else ""
        os.write(2, f"{behind_the_bar}{message}\n".encode())
