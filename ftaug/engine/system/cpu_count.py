"""Number of usable CPU cores: the least of affinity, cgroup quota and Slurm allocation."""

import os
from pathlib import Path
from typing import NamedTuple

CGROUPS = Path("/sys/fs/cgroup")


class Cores(NamedTuple):
    """A number of cores, and the limit that it comes from."""

    number: int
    reason: str


def usable_cores() -> int:
    """Return the number of CPU cores that this process may use."""
    return allowed_cores().number


def allowed_cores(cgroups: Path = CGROUPS, process_cgroup: Path = Path("/proc/self/cgroup")) -> Cores:
    """Return the minimum of the CPU affinity, the cgroup quotas and SLURM_CPUS_PER_TASK; at least 1."""
    machine = os.cpu_count() or 1
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else machine
    limits = [Cores(affinity, "all cores" if affinity >= machine else "the process's affinity")]
    limits += [Cores(max(1, int(quota)), "the control group's quota") for quota in _quotas(cgroups, process_cgroup)]
    slurm_cpus = os.environ.get("SLURM_CPUS_PER_TASK", "")
    if slurm_cpus.isdecimal():
        limits.append(Cores(max(1, int(slurm_cpus)), "SLURM_CPUS_PER_TASK"))
    least = min(limits, key=lambda limit: limit.number)
    sharing = os.environ.get("LOCAL_WORLD_SIZE", "1")
    if sharing.isdecimal() and int(sharing) > 1 and least.reason != "SLURM_CPUS_PER_TASK":
        return Cores(max(1, least.number // int(sharing)), f"{least.reason}, shared by {sharing} processes")
    return least


def threads_from(omp_num_threads: str | None) -> str:
    """Describe what sets the number of threads: OMP_NUM_THREADS, or the limit on cores."""
    return allowed_cores().reason if omp_num_threads is None else f"OMP_NUM_THREADS={omp_num_threads}"


def _quotas(cgroups: Path, process_cgroup: Path) -> list[float]:
    """Return the CPU quotas, in cores, of the process's cgroup and its parents, versions 1 and 2."""
    quotas = []
    for line in _text(process_cgroup).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = cgroups / "cpu" if controllers else cgroups
        group = top / path.lstrip("/")
        for folder in (group, *(parent for parent in group.parents if parent.is_relative_to(top)), top):
            quotas += _quota(folder)
    return quotas


def _quota(folder: Path) -> list[float]:
    """Return the quota of one cgroup in cores; empty without a limit."""
    fields = _text(folder / "cpu.max").split()
    fields = fields or [*_text(folder / "cpu.cfs_quota_us").split(), *_text(folder / "cpu.cfs_period_us").split()]
    if len(fields) != 2 or not all(field.isdecimal() for field in fields) or int(fields[1]) == 0:
        return []  # "max", or −1
    return [int(fields[0]) / int(fields[1])]


def _text(path: Path) -> str:
    """Read a file; the empty string if it cannot be read."""
    try:
        return path.read_text()
    except OSError:
        return ""
