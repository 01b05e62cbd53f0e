"""Write batch scripts for Slurm (sbatch); imports no torch."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from ftaug.errors import ExperimentError

SIGNAL_SECONDS = 120
"""Seconds before the time limit at which Slurm sends SIGUSR1, on which training saves and stops."""

TIME = re.compile(r"(?:(\d+)-)?(\d+):(\d\d)(?::(\d\d))?")
ARRAY = re.compile(r"seeds=(\d+)\.\.(\d+)")


@dataclass(frozen=True)
class Job:
    """A training as a batch job: one process on each GPU, or `tasks` on each machine."""

    name: str
    config: Path
    overrides: tuple[str, ...]
    run: Path
    nodes: int = 1
    tasks: int = 1  # on each machine
    gpus: int = 0  # of each machine
    cpus: int | None = None  # of each task
    time: str | None = None
    seeds: tuple[int, int] | None = None  # first and last
    folds: int | None = None
    workers: int | None = None  # of a search
    options: tuple[str, ...] = ()
    trust_plugins: bool = False

    @property
    def is_array(self) -> bool:
        """Whether it is an array of jobs."""
        return any(each is not None for each in (self.seeds, self.folds, self.workers))


def parse_time(text: str) -> str:
    """Convert hours and minutes, with days or seconds, to Slurm's DAYS-HH:MM:SS; raises ExperimentError.

    sbatch itself reads 4:00 as four minutes.
    """
    match = TIME.fullmatch(text)
    if match is None or int(match[3]) > 59 or int(match[4] or 0) > 59:
        raise ExperimentError(f"--time: must be hours and minutes such as 4:00, or 2-12:00 with days; got '{text}'")
    days, hours = divmod(int(match[2]), 24)
    return f"{int(match[1] or 0) + days}-{hours:02}:{match[3]}:{match[4] or '00'}"


def parse_array(text: str) -> tuple[int, int]:
    """Parse `seeds=FIRST..LAST`; raises ExperimentError."""
    match = ARRAY.fullmatch(text)
    if match is None or int(match[1]) > int(match[2]):
        raise ExperimentError(f"--array: must be a range of seeds such as seeds=0..4; got '{text}'")
    return int(match[1]), int(match[2])


def script(job: Job) -> str:
    """Return the batch script: `ftaug status` says after each end whether the job is to be queued again."""
    head = "\n".join(f"#SBATCH {option}" for option in _options(job))
    if job.workers is not None:
        return f"""#!/bin/bash
{head}

srun --kill-on-bad-exit=1 {_search_command(job)}
code=$?
if [ "$code" -eq 75 ]; then  # stopped in time: continue in a new job
  scontrol requeue {_job_id(job)}
fi
exit "$code"
"""
    return f"""#!/bin/bash
{head}

run={_run(job)}
srun --kill-on-bad-exit=1 {_command(job)}
ftaug status "$run"
code=$?
if [ "$code" -eq 75 ]; then  # stopped in time, with a checkpoint: continue in a new job
  scontrol requeue {_job_id(job)}
fi
exit "$code"
"""


def _options(job: Job) -> list[str]:
    is_array = job.is_array
    first, last = job.seeds or (1, job.folds or job.workers or 1)
    options = {
        "job-name": job.name,
        "nodes": job.nodes,
        "ntasks-per-node": job.tasks,
        "gpus-per-node": job.gpus or None,
        "cpus-per-task": job.cpus,
        "time": job.time,
        "array": f"{first}-{last}" if is_array else None,
        "output": f"{job.name}-%A_%a.log" if is_array else f"{job.name}-%j.log",
        "open-mode": "append",
        "signal": f"USR1@{SIGNAL_SECONDS}",
    }
    lines = [f"--{name}={shlex.quote(str(value))}" for name, value in options.items() if value is not None]
    return [*lines, "--requeue", *job.options]


def _run(job: Job) -> str:
    """Return the run folder for the shell; each job of an array has its own."""
    run = shlex.quote(str(job.run))
    if job.seeds is not None:
        return f'{run}-seed-"$SLURM_ARRAY_TASK_ID"'
    return f'{run}-fold-"$SLURM_ARRAY_TASK_ID"' if job.folds is not None else run


def _command(job: Job) -> str:
    words = ["ftaug", "train", shlex.quote(str(job.config)), *map(shlex.quote, job.overrides)]
    if job.seeds is not None:
        words.append('seed="$SLURM_ARRAY_TASK_ID"')
    if job.folds is not None:
        words.append(f'data.val="{{fold: $SLURM_ARRAY_TASK_ID, of: {job.folds}}}"')
    if job.trust_plugins:
        words.append("--trust-plugins")
    return " ".join([*words, '--run-dir "$run"'])


def _search_command(job: Job) -> str:
    words = ["ftaug", "search", str(job.config), *job.overrides, "--output", str(job.run)]
    return " ".join(map(shlex.quote, [*words, *(["--trust-plugins"] if job.trust_plugins else [])]))


def _job_id(job: Job) -> str:
    if not job.is_array:
        return '"$SLURM_JOB_ID"'
    return '"${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"'
