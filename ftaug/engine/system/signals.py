"""Graceful shutdown: signals, a time limit and a stop file set a flag that the training loop polls between steps."""

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
REASONS = ("Ctrl-C", *(number.name for number in REQUESTS if number != signal.SIGINT), "time limit", "stop file")
"""What `StopRequests.reason` may be."""

URGENT = (signal.SIGINT, signal.SIGTERM)
ECHO = 1.0  # seconds in which a repeated signal is ignored: a launcher may signal process and group
RESERVE = 20.0  # seconds reserved at the end of a Slurm job, until the time of saving is measured


_held: list[int] = []
"""Signals received before a StopRequests could handle them; see `hold`."""


def hold() -> None:
    """Defer signals, except Ctrl-C, to the first `StopRequests`; called before slow imports."""
    for number in REQUESTS:
        if number != signal.SIGINT and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda number, frame: _held.append(number))


def take_deferred() -> list[int]:
    """Return the deferred signals, to be handled by the caller."""
    taken = list(_held)
    _held.clear()
    return taken


@contextmanager
def blocked_requests() -> Iterator[None]:
    """Context manager that blocks requests to stop in this process and those that it starts."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, REQUESTS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class DeferredRequests:
    """Context manager in the main thread that handles requests to stop only when it ends, or on `handle`.

    Unlike blocked signals this holds in a process with threads, of which any may receive a signal.
    """

    def __init__(self) -> None:
        """Without requests."""
        self.received: list[int] = []
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in REQUESTS:
            self._handlers[number] = signal.signal(number, lambda number, frame: self.received.append(number))
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        while self.received:
            signal.raise_signal(self.received.pop(0))

    def handle(self) -> None:
        """Handle the requests received so far; a handler may raise or exit."""
        self.__exit__()
        self.__enter__()


def unblock() -> None:
    """Handle signals that the launcher has blocked until this process can handle them."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, REQUESTS)


class StopRequests:
    """Context manager that records requests to stop in `reason`; the same request a second time exits at once.

    Within `at_once` any signal exits at once.
    """

    current: ClassVar[Self | None] = None
    before_exit: ClassVar[list[Callable[[], object]]] = []
    """Callbacks that run before a signal ends the process."""

    def __init__(self, deadline: float | None = None, stop_file: Path | None = None) -> None:
        """Stop at `deadline` (as of `time.time()`), or when `stop_file` exists."""
        self._deadline, self._job_end = deadline, _job_end()
        self.reserve = RESERVE  # seconds of a Slurm job to reserve for saving
        self._stop_file = stop_file
        self._reason: str | None = None
        self._at_once = False
        self._since: dict[str, float] = {}  # time of the first request of each kind
        self._old: dict[int, Any] = {}
        self._outer: StopRequests | None = None
        self._report: Callable[[FtaugError], object] = lambda error: _write_stderr(str(error))

    @property
    def reason(self) -> str | None:
        """The reason to stop: `Ctrl-C`, the name of a signal, `time limit` or `stop file`; None to continue."""
        if self._reason is None:
            limits = (self._deadline, self._job_end and self._job_end - self.reserve)
            if any(limit is not None and time.time() >= limit for limit in limits):
                self._reason = "time limit"
            elif self._stop_file is not None and self._stop_file.exists():
                self._reason = "stop file"
                with suppress(OSError):  # so that the next start does not stop at once
                    self._stop_file.unlink()
        return self._reason

    def request(self, reason: str) -> None:
        """Request to stop, as another process of the run did."""
        self._reason = self._reason or reason

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Context manager in which a signal exits at once, for work without anything to save.

        It calls `os._exit`: an exception that is raised while C++ code of a library runs may abort the process.
        """
        previous, self._at_once = self._at_once, True
        try:
            if self._since and self._reason is not None:
                self._end(self._reason)
            while _held:
                self._handle(_held.pop(0), None)
            yield
        finally:
            self._at_once = previous

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._outer, StopRequests.current = StopRequests.current, self
            if self._outer is not None:
                self._reason, self._since, self._report = self._outer._reason, self._outer._since, self._outer._report
            for number in REQUESTS:
                if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, or a shell's background job
                    self._old[number] = signal.signal(number, self._handle)
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

    def _handle(self, number: int, frame: FrameType | None) -> None:
        """Signal handler: set the flag, or exit within `at_once` and on the second request of a kind."""
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
            _write_stderr(f"{name}: saving after this step; send the signal again to stop at once")

    def _end(self, reason: str) -> NoReturn:
        """Run the callbacks, report the error and exit."""
        for callback in self.before_exit:
            with suppress(OSError, FtaugError):
                callback()
        text = f"stopped by {reason} with nothing to save; run the same command again"
        error = Interrupted(text) if reason == "Ctrl-C" else Stopped(text)
        self._report(error)
        os._exit(error.exit_code)


@contextmanager
def ended_by_signals(report: Callable[[FtaugError], object]) -> Iterator[None]:
    """Context manager in which signals, deferred ones too, exit at once, except within a nested StopRequests.

    `report` is called with the error of the exit code, and may exit itself.
    """
    with StopRequests() as stop:
        stop._report = report
        with stop.at_once():
            yield


def ignore_in_worker(worker: int = 0) -> None:
    """Initialize a data loader worker: ignore signals, which the parent handles, and exit with the parent."""
    _ignore_requests()
    if hasattr(signal, "sigwaitinfo"):
        threading.Thread(target=_exit_on_parent_sigterm, daemon=True).start()
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():
        os._exit(1)


def _ignore_requests() -> None:
    """Ignore the signals that request a stop; block SIGTERM, to wait for the parent's."""
    for number in REQUESTS:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "sigwaitinfo"):  # sigwaitinfo waits for blocked signals, not for ignored ones
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _ignore_in_forked_child() -> None:
    """Ignore signals in a forked child already before it reaches `ignore_in_worker`."""
    if StopRequests.current is not None:
        _ignore_requests()


os.register_at_fork(after_in_child=_ignore_in_forked_child)


def _exit_on_parent_sigterm() -> None:
    """Exit on a SIGTERM from the parent; ignore one that was sent to the whole process group."""
    while signal.sigwaitinfo([signal.SIGTERM]).si_pid != os.getppid():
        pass
    os._exit(0)


def _job_end() -> float | None:
    """Return the end time of the Slurm job of this process, in seconds since the epoch; None outside of one."""
    end = os.environ.get("SLURM_JOB_END_TIME", "")
    return float(end) if end.isdecimal() else None


def _write_stderr(message: str) -> None:
    """Write to stderr, safe within a signal handler."""
    with suppress(OSError):
        newline = "\n" if os.isatty(2) else ""
        os.write(2, f"{newline}{message}\n".encode())
