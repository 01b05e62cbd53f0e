"""Real signals to real processes."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from processes import Program

from ftaug.engine.system import signals
from ftaug.engine.system.signals import DeferredRequests, StopRequests

REQUESTS = ["SIGTERM", "SIGUSR1", "SIGUSR2", "SIGINT", "SIGHUP"]

LOOP = """
import sys, time
from ftaug.engine.system.signals import StopRequests
with StopRequests() as stop:
    print("ready", flush=True)
    for _ in range(1000):
        time.sleep(0.01)
        if stop.reason and "patient" not in sys.argv:
            time.sleep("lingers" in sys.argv)
            break
    print(stop.reason, flush=True)
"""


def start(code: str, *arguments: str, before=()) -> subprocess.Popen:
    process = subprocess.Popen(
        [*before, sys.executable, "-c", textwrap.dedent(code), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: [signal.signal(getattr(signal, name), signal.SIG_DFL) for name in REQUESTS] and None,
    )
    line = process.stdout.readline()
    assert line == "ready\n", process.stderr.read()
    return process


def end(process: subprocess.Popen) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=30)
    return process.returncode, out.strip(), err.strip()


@pytest.mark.parametrize("name", REQUESTS)
def test_a_signal_is_noted_and_the_loop_ends_at_its_own_pace(name):
    process = start(LOOP)
    process.send_signal(getattr(signal, name))
    reason = "Ctrl-C" if name == "SIGINT" else name
    code, out, err = end(process)
    assert (code, out) == (0, reason)
    assert err.startswith(f"{reason}: ")
    assert err.count("\n") == 0


@pytest.mark.parametrize(
    ("name", "code"),
    [("SIGTERM", 143), ("SIGINT", -signal.SIGINT), ("SIGHUP", 129), ("SIGUSR1", 138), ("SIGUSR2", 140)],
)
def test_the_second_time_it_stops_at_once(name, code):
    process = start(LOOP, "patient")
    process.send_signal(getattr(signal, name))
    time.sleep(signals.ECHO + 0.2)
    process.send_signal(getattr(signal, name))
    began = time.monotonic()
    assert end(process)[:2] == (code, "")
    assert time.monotonic() - began < 3


NESTED = """
import os, signal, sys
from ftaug.engine.system.signals import StopRequests
print("ready", flush=True)
with StopRequests() as outer:
    with StopRequests() as inner:
        os.kill(os.getpid(), signal.SIGTERM)
        reasons = [inner.reason]
    reasons.append(outer.reason)
    with StopRequests() as inner:
        print(*reasons, inner.reason, file=sys.stderr)
        with inner.at_once():
            print("not reached", file=sys.stderr)
"""


def test_a_request_that_came_inside_or_before_counts_for_all():
    code, _, err = end(start(NESTED))
    assert (code, err.splitlines()) == (
        75,
        [
            "SIGTERM: saving after this step; send the signal again to stop at once",
            "SIGTERM SIGTERM SIGTERM",
            "stopped by SIGTERM with nothing to save; run the same command again",
        ],
    )


def test_an_echo_of_the_first_is_not_a_second():
    """coreutils' timeout and some launchers signal the process and then its whole group."""
    process = start(LOOP, "lingers")
    for _ in range(3):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.002)
    assert end(process)[:2] == (0, "SIGTERM")


def test_a_warning_signal_and_then_sigterm_is_not_a_second():
    """Slurm sends SIGUSR1 some time before the limit, and SIGTERM at it."""
    process = start(LOOP, "patient")
    process.send_signal(signal.SIGUSR1)
    time.sleep(signals.ECHO + 0.2)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    assert process.poll() is None
    process.kill()
    process.communicate()


def test_nohup_is_respected():
    process = start(LOOP, before=["nohup"])
    process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert end(process)[:2] == (0, "SIGTERM")


def test_a_suspended_process_goes_on():
    process = start(LOOP)
    process.send_signal(signal.SIGSTOP)
    time.sleep(0.2)
    process.send_signal(signal.SIGCONT)
    process.send_signal(signal.SIGTERM)  # Slurm sends both at once
    assert end(process)[:2] == (0, "SIGTERM")


def test_handlers_are_restored():
    before = {name: signal.getsignal(getattr(signal, name)) for name in REQUESTS}
    with StopRequests() as stop:
        assert stop.reason is None
        os.kill(os.getpid(), signal.SIGUSR1)
        assert stop.reason == "SIGUSR1"
    assert {name: signal.getsignal(getattr(signal, name)) for name in REQUESTS} == before


def test_outside_the_main_thread_only_limits_count(tmp_path):
    found = []

    def run():
        with StopRequests(deadline=time.time() - 1) as stop:
            found.append(stop.reason)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == ["time limit"]


def test_the_first_reason_stays(tmp_path):
    (tmp_path / "stop").touch()
    with StopRequests(deadline=time.time() + 0.2, stop_file=tmp_path / "stop") as stop:
        assert stop.reason == "stop file"
        time.sleep(0.3)
        assert stop.reason == "stop file"


def test_a_stop_file_stops_once(tmp_path):
    path = tmp_path / "stop"
    with StopRequests(stop_file=path) as stop:
        assert stop.reason is None
        path.touch()
        assert stop.reason == "stop file"
    with StopRequests(stop_file=path) as stop:
        assert stop.reason is None


def test_the_end_of_a_slurm_job_is_a_time_limit(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_END_TIME", str(int(time.time() + 60)))
    assert StopRequests().reason is None
    assert StopRequests(deadline=time.time() - 1).reason == "time limit"
    stop = StopRequests()
    stop.reserve = 70  # what the run measured
    assert stop.reason == "time limit"
    monkeypatch.setenv("SLURM_JOB_END_TIME", str(int(time.time() + signals.RESERVE - 10)))
    assert StopRequests().reason == "time limit"
    assert StopRequests(deadline=time.time() + 1000).reason == "time limit"
    monkeypatch.setenv("SLURM_JOB_END_TIME", "Unknown")
    assert StopRequests().reason is None


LOADER = """
import sys, time
import torch
from torch.utils.data import DataLoader, Dataset
from ftaug.engine.system.signals import StopRequests, ignore_in_worker

class Slow(Dataset):
    def __len__(self):
        return 40
    def __getitem__(self, index):
        time.sleep(0.02)
        if index == 39 and "stuck" in sys.argv:
            time.sleep(1000)
        return index

if __name__ == "__main__":
    workers = {"num_workers": 2, "worker_init_fn": ignore_in_worker, "multiprocessing_context": "fork"}
    loader = DataLoader(Slow(), batch_size=None, **workers)
    with StopRequests() as stop:
        seen = []
        for index in loader:
            seen.append(index)
            if index == 0:
                print("ready", flush=True)
            if index == 37 and "stuck" in sys.argv:
                break
        print(stop.reason, len(seen), flush=True)
"""


def start_loader(*arguments: str) -> Program:
    process = Program(LOADER, arguments)
    while "ready" not in process.printed() and process.poll() is None:
        time.sleep(0.01)
    return process


def workers_of(process: Program) -> list[int]:
    """The process's children, by the process table of Linux."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == process.pid and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@linux
def test_signals_to_the_whole_group_leave_the_workers_working():
    process = start_loader()
    for name in ("SIGUSR1", "SIGUSR2", "SIGHUP", "SIGINT", "SIGTERM"):
        os.killpg(process.pid, getattr(signal, name))
    code, (out, err) = process.wait(), process.output
    assert (code, out.split()[2:]) == (0, ["40"]), err
    assert out.split()[1] in ("SIGUSR1", "SIGUSR2", "SIGHUP", "Ctrl-C", "SIGTERM")
    assert "Traceback" not in err


@linux
def test_workers_do_not_outlive_a_killed_parent():
    process = start_loader("stuck")
    workers = workers_of(process)
    assert len(workers) == 2
    process.kill()
    until = time.monotonic() + 5
    while any(alive(worker) for worker in workers):
        assert time.monotonic() < until
        time.sleep(0.01)


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


@linux
def test_a_stuck_worker_ends_when_its_parent_asks():
    process = start_loader("stuck")
    began = time.monotonic()
    assert process.wait() == 0
    assert time.monotonic() - began < 20


def test_requests_are_deferred_in_a_process_with_threads():
    """A thread that does not block a signal may receive it, as those of torch."""
    done, handled = threading.Event(), []
    thread = threading.Thread(target=done.wait)
    before = signal.signal(signal.SIGUSR1, lambda number, frame: handled.append(number))
    try:
        thread.start()
        with DeferredRequests() as requests:
            os.kill(os.getpid(), signal.SIGUSR1)
            assert (handled, requests.received) == ([], [signal.SIGUSR1])
            requests.handle()
            assert (handled, requests.received) == ([signal.SIGUSR1], [])
            os.kill(os.getpid(), signal.SIGUSR1)
        assert handled == [signal.SIGUSR1] * 2
    finally:
        done.set()
        signal.signal(signal.SIGUSR1, before)


def test_a_deferred_request_may_raise():
    with pytest.raises(KeyboardInterrupt), DeferredRequests():
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
