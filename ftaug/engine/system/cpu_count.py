"""The processor cores that this process may use, and what says so."""

import os
from pathlib import Path
from typing import NamedTuple

CGROUPS = Path("/sys/fs/cgroup")


class Cores(NamedTuple):
    """How many cores, and what allows no more."""

    number: int
    reason: str


def usable_cores() -> int:
    """The processor cores that this process may use."""
    return allowed_cores().number


def allowed_cores(cgroups: Path = CGROUPS, own: Path = Path("/proc/self/cgroup")) -> Cores:
    """The least of what the affinity, the processor time of the control group and SLURM allow; 1 at least."""
    machine = os.cpu_count() or 1
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else machine
    limits = [Cores(affinity, "all that the machine has" if affinity >= machine else "the process's affinity")]
    limits += [Cores(max(1, int(quota)), "the control group's quota") for quota in _quotas(cgroups, own)]
    asked = os.environ.get("SLURM_CPUS_PER_TASK", "")
    if asked.isdecimal():
        limits.append(Cores(max(1, int(asked)), "SLURM_CPUS_PER_TASK"))
    return min(limits, key=lambda limit: limit.number)


def threads_from(asked: str | None) -> str:
    """Why computing has the threads that it has: what OMP_NUM_THREADS asked for, or what the machine allows."""
    return allowed_cores().reason if asked is None else f"OMP_NUM_THREADS={asked}"


def _quotas(cgroups: Path, own: Path) -> list[float]:
    """The cores' worth of time that control groups allow: the process's own and those around it, versions 1 and 2."""
    found = []
    for line in _text(own).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = cgroups / "cpu" if controllers else cgroups
        group = top / path.lstrip("/")
        for folder in (group, *(parent for parent in group.parents if parent.is_relative_to(top)), top):
            found += _quota(folder)
    return found


def _quota(folder: Path) -> list[float]:
    """What one control group allows, if it limits."""
    parts = _text(folder / "cpu.max").split()
    parts = parts or [*_text(folder / "cpu.cfs_quota_us").split(), *_text(folder / "cpu.cfs_period_us").split()]
    if len(parts) != 2 or not all(part.isdecimal() for part in parts) or int(parts[1]) == 0:
        return []  # "max", or −1
    return [int(parts[0]) / int(parts[1])]


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
