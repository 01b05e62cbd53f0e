"""Requests to stop: signals, a time limit and a stop file set a flag that the loop reads between two steps."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, ClassVar, Self

REQUESTS = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGUSR1", "SIGUSR2", "SIGINT", "SIGHUP") if hasattr(signal, name)
)
URGENT = (signal.SIGINT, signal.SIGTERM)
ECHO = 1.0  # seconds in which a launcher may deliver the same signal twice, to the process and to its group
JOB_MARGIN = 120.0  # seconds before the end of a Slurm job


class StopRequests:
    """While entered, asks to stop are noted in `reason`; a second Ctrl-C or SIGTERM stops at once."""

    entered: ClassVar[bool] = False

    def __init__(self, deadline: float | None = None, stop_file: Path | None = None) -> None:
        """Take the time (as of `time.time()`) to stop at, and a file whose appearance means stop."""
        limits = [limit for limit in (deadline, _job_end()) if limit is not None]
        self._deadline = min(limits, default=None)
        self._stop_file = stop_file
        self._reason: str | None = None
        self._urgent_since: float | None = None
        self._old: dict[int, Any] = {}

    @property
    def reason(self) -> str | None:
        """Why to stop: `Ctrl-C`, the name of a signal, `time limit` or `stop file`; None to go on."""
        if self._reason is None:
            if self._deadline is not None and time.time() >= self._deadline:
                self._reason = "time limit"
            elif self._stop_file is not None and self._stop_file.exists():
                self._reason = "stop file"
                with suppress(OSError):  # so that the next start does not stop again
                    self._stop_file.unlink()
        return self._reason

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in REQUESTS:
                if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, or a shell's background job
                    self._old[number] = signal.signal(number, self._note)
            StopRequests.entered = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)
        self._old.clear()
        StopRequests.entered = False

    def _note(self, number: int, frame: FrameType | None) -> None:
        """Set the flag; the second urgent request ends the process."""
        name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
        if self._reason is None:
            self._reason = name
            _tell(f"{name}: saving after this step; once more to stop at once")
        if number not in URGENT:
            return
        now = time.monotonic()
        if self._urgent_since is None:
            self._urgent_since = now
        elif now - self._urgent_since > ECHO:
            if number == signal.SIGINT:
                raise KeyboardInterrupt
            os._exit(128 + number)


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
    if StopRequests.entered:
        _ignore_requests()


os.register_at_fork(after_in_child=_ignore_in_forked_child)


def _end_when_the_parent_asks() -> None:
    """A SIGTERM to the whole group is not for a worker, one from its parent is."""
    while signal.sigwaitinfo([signal.SIGTERM]).si_pid != os.getppid():
        pass
    os._exit(0)


def _job_end() -> float | None:
    """When to stop so that a Slurm job saves before its end."""
    end = os.environ.get("SLURM_JOB_END_TIME", "")
    return float(end) - JOB_MARGIN if end.isdecimal() else None


def _tell(message: str) -> None:
    """Write to stderr in a way that is safe within a signal handler."""
    with suppress(OSError):
        behind_the_bar = "\n" if os.isatty(2) else ""
        os.write(2, f"{behind_the_bar}{message}\n".encode())
