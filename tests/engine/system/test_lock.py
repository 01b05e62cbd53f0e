"""One writer per folder where the kernel does not see to it: no locks at all, or locks within a host."""

import errno
import fcntl
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from file_operations import Failing, Interceptor

from ftaug.engine.system import lock
from ftaug.engine.system.lock import Lock
from ftaug.errors import RunFolderTaken


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(lock, "BEAT", 0.1)
    monkeypatch.setattr(lock, "WATCH", 1.0)
    monkeypatch.setattr(lock, "SETTLE", 0.3)


@pytest.fixture
def no_locks(monkeypatch):
    def refuse(descriptor, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)


def note(folder, age=0.0):
    """What a holder on another host has left, or is about to."""
    path = folder / ".lock"
    path.write_text(
        json.dumps({"pid": 7, "host": "node3", "boot": "another", "job": "42", "since": "2026-01-01T00:00:00+00:00"})
    )
    os.utime(path, (time.time() - age, time.time() - age))
    return path


@pytest.fixture
def beating(tmp_path):
    path, ended = note(tmp_path), threading.Event()

    def beat():
        while not ended.wait(0.1):
            os.utime(path)

    thread = threading.Thread(target=beat)
    thread.start()
    yield tmp_path
    ended.set()
    thread.join()


def test_a_holder_on_another_host_keeps_others_out(beating):
    with pytest.raises(RunFolderTaken, match=r"process 7 on node3, job 42, since 2026-01-01T00:00:00\+00:00; wait"):
        Lock(beating)


def test_a_dead_one_on_another_host_is_waited_for_and_followed(tmp_path, caplog):
    note(tmp_path)
    start = time.monotonic()
    Lock(tmp_path).release()
    assert 1 <= time.monotonic() - start < 5
    assert "waiting up to 1 s for a sign of life of process 7 on node3" in caplog.text


def test_one_long_dead_is_not_waited_for(tmp_path):
    note(tmp_path, age=lock.STALE + 1)
    start = time.monotonic()
    Lock(tmp_path).release()
    assert time.monotonic() - start < 0.5


def test_one_of_this_kernel_that_was_killed_is_not_waited_for(tmp_path):
    path = note(tmp_path)
    path.write_text(path.read_text().replace("another", lock._boot()))
    start = time.monotonic()
    Lock(tmp_path).release()
    assert time.monotonic() - start < 0.5


def test_without_locks_signs_of_life_keep_others_out(tmp_path, no_locks):
    held = Lock(tmp_path)
    with pytest.raises(RunFolderTaken, match=f"process {os.getpid()} on "):
        Lock(tmp_path)
    held.release()
    Lock(tmp_path).release()


def test_without_locks_a_dead_holder_is_followed(tmp_path, no_locks):
    dead = Lock(tmp_path)
    dead._released.set()
    dead._heartbeat.join()
    start = time.monotonic()
    Lock(tmp_path).release()
    assert time.monotonic() - start >= 1


def test_without_locks_one_of_several_that_start_together_gets_in(tmp_path, no_locks, monkeypatch):
    numbers = iter(range(100))
    monkeypatch.setattr(lock, "_owner", lambda: {"pid": next(numbers), "host": "here", "boot": "this", "job": None})

    def take(_):
        try:
            return Lock(tmp_path)
        except RunFolderTaken:
            return None

    with ThreadPoolExecutor(4) as pool:
        taken = [held for held in pool.map(take, range(4)) if held]
    assert len(taken) == 1
    taken[0].release()


def test_a_full_disk_does_not_keep_a_lock(tmp_path):
    lock = Lock(tmp_path)
    with Interceptor(tmp_path, Failing(1, errno.ENOSPC, lasting=True)):
        lock.release()
    Lock(tmp_path).release()
