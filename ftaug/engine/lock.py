"""One writer per run folder: a lock that the kernel releases however its holder dies, and a note of who that is."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ftaug.engine.storage import write_all
from ftaug.errors import RunFolderTaken

log = logging.getLogger("ftaug")

JOB_IDS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID")

_held: set[int] = set()


class Lock:
    """Held from construction to `release`; raises RunFolderTaken naming the holder."""

    def __init__(self, folder: Path, option: str = "--run-dir") -> None:
        path = folder / ".lock"
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(self._descriptor, 4096, 0)
            os.close(self._descriptor)
            raise RunFolderTaken(
                f"{folder} is in use by {_describe(owner)}; wait, or choose another {option}"
            ) from None
        except OSError as error:
            log.warning(
                "%s: no locks on this file system (%s): see to it that one process alone trains here",
                folder,
                error.strerror,
            )
        _held.add(self._descriptor)
        try:
            os.ftruncate(self._descriptor, 0)
            write_all(self._descriptor, json.dumps(_owner()).encode())
        except OSError:
            self.release()
            raise

    def release(self) -> None:
        """Let others in."""
        _held.discard(self._descriptor)
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def _release_in_child() -> None:
    """A forked data loader worker must not hold on to the lock when its parent is killed."""
    while _held:
        os.close(_held.pop())


os.register_at_fork(after_in_child=_release_in_child)


def _owner() -> dict[str, Any]:
    job = next((os.environ[name] for name in JOB_IDS if name in os.environ), None)
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return {"pid": os.getpid(), "host": socket.gethostname(), "job": job, "since": since}


def _describe(owner: bytes) -> str:
    """Who holds the lock; it may just be about to write that down."""
    try:
        found = json.loads(owner)
        job = f", job {found['job']}" if found["job"] else ""
        return f"process {found['pid']} on {found['host']}{job}, since {found['since']}"
    except (ValueError, KeyError, TypeError):
        return "another process"
