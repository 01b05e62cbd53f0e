"""File lock of a run folder, released by the kernel when its holder dies; heartbeats where there is no flock."""

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
from ftaug.errors import RunFolderInUse

log = logging.getLogger("ftaug")

JOB_IDS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID")

BEAT = 10.0
"""Seconds between two heartbeats."""

WATCH = 30.0
"""Seconds to wait for a heartbeat of the holder."""

STALE = 600.0
"""Age of the last heartbeat in seconds after which the holder is dead; larger than clock differences of hosts."""

SETTLE = 1.0
"""Seconds after which processes that started at the same time have all written their record."""

_held: set[int] = set()


class Lock:
    """An exclusive lock of a folder, held from construction to `release`; raises RunFolderInUse naming the holder.

    On file systems without locks, or with locks local to a host, as some mounts of NFS and Lustre have, heartbeats
    replace flock: the holder sets the file's modification time every BEAT seconds, and others wait for a change.
    """

    def __init__(self, folder: Path, otherwise: str = ", or choose another --run-dir") -> None:
        self._path = folder / ".lock"
        self._descriptor = open_inside(self._path, os.O_RDWR | os.O_CREAT)
        self._released = threading.Event()
        self._heartbeat = threading.Thread(target=self._send_heartbeats, daemon=True)
        try:
            if owner := self._acquire():
                raise RunFolderInUse(f"{folder} is in use by {_describe(owner)}; wait{otherwise}")
        except BaseException:
            os.close(self._descriptor)
            raise
        _held.add(self._descriptor)
        self._heartbeat.start()

    def release(self) -> None:
        """Release the lock."""
        self._released.set()
        self._heartbeat.join()
        _held.discard(self._descriptor)
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)

    def _acquire(self) -> bytes:
        """Acquire the lock and write a record of this process; return the holder's record if it is taken, else b""."""
        has_locks = True
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return os.pread(self._descriptor, 4096, 0) or b"?"
        except OSError:
            has_locks = False
        holder, modified = self._read()
        if holder and not (has_locks and _is_local(holder)) and self._is_alive(holder, modified):
            return holder
        record = json.dumps(_owner()).encode()
        write_all(self._descriptor, record)
        os.ftruncate(self._descriptor, len(record))
        if not has_locks:  # of processes that start at the same time, the last writer wins
            os.fsync(self._descriptor)
            time.sleep(SETTLE)
            holder, _ = self._read()
            return b"" if holder == record else holder or b"?"
        return b""

    def _is_alive(self, holder: bytes, modified: int) -> bool:
        """Return whether the holder sends a heartbeat within WATCH seconds; false at once if the last one is STALE."""
        if time.time() - modified / 1e9 > STALE:
            return False
        log.warning("%s: waiting up to %d s for a sign of life of %s", self._path.parent, WATCH, _describe(holder))
        until = time.monotonic() + WATCH
        while time.monotonic() < until:
            time.sleep(BEAT / 10)
            if (now := self._read()) != (holder, modified):
                return bool(now[0])
        return False

    def _read(self) -> tuple[bytes, int]:
        """Read the record and its modification time in ns; reopened, so that a network file system asks the server."""
        with self._path.open("rb") as file:
            return file.read(), os.fstat(file.fileno()).st_mtime_ns

    def _send_heartbeats(self) -> None:
        """Set the modification time of the file until the lock is released."""
        while not self._released.wait(BEAT):
            with contextlib.suppress(OSError):
                os.utime(self._descriptor)


def _release_in_child() -> None:
    """Close inherited locks in a forked data loader worker, which would hold them if its parent is killed."""
    while _held:
        os.close(_held.pop())


os.register_at_fork(after_in_child=_release_in_child)


def _owner() -> dict[str, Any]:
    """Return the record of this process as the holder of a lock."""
    job = next((os.environ[name] for name in JOB_IDS if name in os.environ), None)
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return {"pid": os.getpid(), "host": socket.gethostname(), "boot": _boot(), "job": job, "since": since}


def _boot() -> str:
    """Return the boot id of the kernel; the host name without /proc."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return socket.gethostname()


def _is_local(owner: bytes) -> bool:
    """Return whether the holder ran under this kernel, whose flock is then reliable; containers share it."""
    try:
        return bool(json.loads(owner)["boot"] == _boot())
    except (ValueError, KeyError, TypeError):
        return True


def is_locked(folder: Path) -> bool:
    """Return whether a process on this machine, or on one that shares its locks, writes the folder."""
    try:
        descriptor = os.open(folder / ".lock", os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def _describe(owner: bytes) -> str:
    """Describe the holder of the lock, which may not have written its record yet."""
    try:
        holder = json.loads(owner)
        job = f", job {holder['job']}" if holder["job"] else ""
        return f"process {holder['pid']} on {holder['host']}{job}, since {holder['since']}"
    except (ValueError, KeyError, TypeError):
        return "another process"
