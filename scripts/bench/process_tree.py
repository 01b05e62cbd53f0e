"""Run a command and watch how much memory it and all its descendants take together (Linux)."""

import contextlib
import os
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Finished:
    """A command that ended well: what it printed and the most memory that its processes held at one time."""

    stdout: str
    peak_mib: float
    seconds: float


def run(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> Finished:
    """Run to the end; raises with the command's errors if it fails."""
    start, peak = time.perf_counter(), 0
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | (environment or {}),
    )
    over = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not over.wait(1.0):  # reading the maps of a large process stops it for some milliseconds
            peak = max(peak, sum(map(_proportional_kib, _family(process.pid))))

    watcher = threading.Thread(target=watch)
    watcher.start()
    stdout, stderr = process.communicate()
    over.set()
    watcher.join()
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{stderr[-3000:]}")
    return Finished(stdout, peak / 1024, time.perf_counter() - start)


def _family(root: int) -> list[int]:
    """The process and all that descend from it."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    family, grown = {root}, True
    while grown:
        children = {pid for pid, parent in parents.items() if parent in family} - family
        family |= children
        grown = bool(children)
    return sorted(family)


def _proportional_kib(pid: int) -> int:
    """Memory of a process in KiB, pages that several processes share counted once among them."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
