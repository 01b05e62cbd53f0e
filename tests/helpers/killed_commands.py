"""Commands in process groups of their own, ended by SIGKILL at a random moment or at a named point."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Ended:
    """How a command ended."""

    code: int
    stderr: str
    killed: bool


def run_command(
    folder: Path,
    arguments: Sequence[str],
    *,
    point: str | None = None,
    seconds: float | None = None,
    environment: Mapping[str, str] | None = None,
) -> Ended:
    """Run a command in a folder; kill its process group at a named point or after some seconds."""
    mark = folder / "killed"
    mark.unlink(missing_ok=True)
    paths = [str(ROOT)]
    variables = {**os.environ, "OMP_NUM_THREADS": "1", **(environment or {})}
    for name, place in (("XDG_CACHE_HOME", "cache"), ("TMPDIR", "tmp")):  # a killed launcher leaves a temporary folder
        (folder / place).mkdir(exist_ok=True)
        variables[name] = str(folder / place)
    if point is not None:
        paths.append(str(Path(__file__).with_name("kill_points")))
        variables |= {"KILL_POINT": point, "KILL_ROOT": str(folder), "KILL_MARK": str(mark)}
    variables["PYTHONPATH"] = os.pathsep.join(paths)
    with (folder / "stdout").open("w") as stdout, (folder / "stderr").open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "ftaug", *arguments],
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    began = time.monotonic()
    try:
        while process.poll() is None and not mark.exists():
            if seconds is not None and time.monotonic() - began >= seconds:
                break
            time.sleep(0.005)
    except KeyboardInterrupt:
        end_group(process.pid)
        raise
    killed = process.poll() is None or mark.exists()
    if killed:
        end_group(process.pid)
    return Ended(process.wait(), (folder / "stderr").read_text(errors="replace"), killed)


def end_group(number: int) -> None:
    """Kill all processes of a group, if there are any."""
    try:
        os.killpg(number, signal.SIGKILL)
    except ProcessLookupError:
        return
