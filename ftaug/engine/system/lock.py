"""One writer per run folder: a lock that the kernel releases however its holder dies, and a note of who that is."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import socket
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ftaug.engine.system.storage import open_inside, write_all
from ftaug.errors import RunFolderTaken

log = logging.getLogger("ftaug")

JOB_IDS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID")

BEAT = 10.0
"""Seconds between two signs of life."""

WATCH = 30.0
"""Seconds in which a holder that lives gives one."""

STALE = 600.0
"""Seconds after its last one in which nobody is waited for, however the clocks of two hosts differ."""

SETTLE = 1.0
"""Seconds after which those that started together have all written their note."""

_held: set[int] = set()


class Lock:
    """Held from construction to `release`; raises RunFolderTaken naming the holder.

    Where the file system has no locks, or keeps them within a host as some mounts of NFS and Lustre do, the holder's
    signs of life stand in for the kernel: it sets the file's time every BEAT seconds, and who comes later watches.
    """

    def __init__(self, folder: Path, otherwise: str = ", or choose another --run-dir") -> None:
        self._path = folder / ".lock"
        self._descriptor = open_inside(self._path, os.O_RDWR | os.O_CREAT)
        self._released = threading.Event()
        self._beating = threading.Thread(target=self._beat, daemon=True)
        try:
            if owner := self._take():
                raise RunFolderTaken(f"{folder} is in use by {_describe(owner)}; wait{otherwise}")
        except BaseException:
            os.close(self._descriptor)
            raise
        _held.add(self._descriptor)
        self._beating.start()

    def release(self) -> None:
        """Let others in."""
        self._released.set()
        self._beating.join()
        _held.discard(self._descriptor)
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)

    def _take(self) -> bytes:
        """Write down that the folder is ours; returns the note of the holder where it is not."""
        has_locks = True
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return os.pread(self._descriptor, 4096, 0) or b"?"
        except OSError:
            has_locks = False
        noted, at = self._sign()
        if noted and not (has_locks and _is_here(noted)) and self._is_alive(noted, at):
            return noted
        own = json.dumps(_owner()).encode()
        write_all(self._descriptor, own)
        os.ftruncate(self._descriptor, len(own))
        if not has_locks:  # of those that start at the same time, the last to write has it
            os.fsync(self._descriptor)
            time.sleep(SETTLE)
            noted, _ = self._sign()
            return b"" if noted == own else noted or b"?"
        return b""

    def _is_alive(self, noted: bytes, at: int) -> bool:
        """Whether the holder gives a sign of life within WATCH seconds; if the last one is old, nobody waits for it."""
        if time.time() - at / 1e9 > STALE:
            return False
        log.warning("%s: waiting up to %d s for a sign of life of %s", self._path.parent, WATCH, _describe(noted))
        until = time.monotonic() + WATCH
        while time.monotonic() < until:
            time.sleep(BEAT / 10)
            if (now := self._sign()) != (noted, at):
                return bool(now[0])
        return False

    def _sign(self) -> tuple[bytes, int]:
        """The note and its time in ns; opened anew, as it is then that a network file system asks the server."""
        with self._path.open("rb") as file:
            return file.read(), os.fstat(file.fileno()).st_mtime_ns

    def _beat(self) -> None:
        while not self._released.wait(BEAT):
            with contextlib.suppress(OSError):
                os.utime(self._descriptor)


def _release_in_child() -> None:
    """A forked data loader worker must not hold on to the lock when its parent is killed."""
    while _held:
        os.close(_held.pop())


os.register_at_fork(after_in_child=_release_in_child)


def _owner() -> dict[str, Any]:
    job = next((os.environ[name] for name in JOB_IDS if name in os.environ), None)
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return {"pid": os.getpid(), "host": socket.gethostname(), "boot": _boot(), "job": job, "since": since}


def _boot() -> str:
    """Names a start of a kernel; the host's name where there is no /proc."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return socket.gethostname()


def _is_here(owner: bytes) -> bool:
    """Whether the holder ran under this very kernel, which then answers for it; containers share it."""
    try:
        return bool(json.loads(owner)["boot"] == _boot())
    except (ValueError, KeyError, TypeError):
        return True


def _describe(owner: bytes) -> str:
    """Who holds the lock; it may just be about to write that down."""
    try:
        found = json.loads(owner)
        job = f", job {found['job']}" if found["job"] else ""
        return f"process {found['pid']} on {found['host']}{job}, since {found['since']}"
    except (ValueError, KeyError, TypeError):
        return "another process"
