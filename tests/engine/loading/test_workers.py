"""What is said of a worker process that died, by its exit code."""

import signal

import pytest

from ftaug.engine.loading import workers


@pytest.mark.parametrize(
    ("exit_code", "code", "text"),
    [
        (-signal.SIGKILL, 4, "was killed, probably because memory ran out: try fewer data.workers"),
        (-signal.SIGBUS, 4, "found the shared memory (/dev/shm) full: make it larger (docker run --shm-size=2g)"),
        (-signal.SIGSEGV, 1, "crashed (SIGSEGV): with data.workers=0"),
        (123, 1, "crashed (exit code 123): with data.workers=0"),
    ],
)
def test_a_worker_that_died_is_described(monkeypatch, exit_code, code, text):
    class Worker:
        exitcode = exit_code

    monkeypatch.setattr(workers.multiprocessing, "active_children", lambda: [Worker()])
    with pytest.raises(workers.FtaugError) as error, workers.watched():
        raise RuntimeError("DataLoader worker (pid 1) exited unexpectedly")
    assert error.value.exit_code == code
    assert str(error.value).startswith(f"a worker process {text}")
