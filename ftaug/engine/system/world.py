"""The processes that train a run together: their number and the rank of this one, from the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ftaug.errors import ExperimentError

PORTS = range(20_000, 40_000)
"""Ports of rank 0 in Slurm jobs, chosen by the number of the job."""

FIRST_NODE = re.compile(r"([^\[,]+)(?:\[(\w+)[^\]]*\](\S*?))?(?:,|$)")


@dataclass(frozen=True)
class World:
    """The number of processes of a run and the rank of this one, in the whole and on its machine."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes the run folder and the screen."""
        return self.rank == 0


def of_environment(environment: Mapping[str, str] = os.environ) -> World:
    """Read the world from the variables of `--processes`, torchrun or srun; alone without any. Raises ExperimentError.

    In a Slurm job without srun there is one process, whatever SLURM_NTASKS says.
    """

    def number(name: str, default: int | None = None) -> int:
        text = environment.get(name, "" if default is None else str(default))
        if not text.isdecimal():
            raise ExperimentError(f"{name}: must be a number, as torchrun and srun set it; got '{text}'")
        return int(text)

    if "WORLD_SIZE" in environment:
        world = World(number("RANK"), number("WORLD_SIZE"), number("LOCAL_RANK", 0), number("LOCAL_WORLD_SIZE", 1))
    elif environment.get("SLURM_STEP_NUM_TASKS", "1") != "1":
        local_size = environment.get("SLURM_STEP_TASKS_PER_NODE", "1").partition("(")[0].partition(",")[0]
        size = number("SLURM_STEP_NUM_TASKS")
        world = World(number("SLURM_PROCID"), size, number("SLURM_LOCALID"), int(local_size))
    else:
        world = World()
    if world.rank >= world.size:
        raise ExperimentError(f"rank {world.rank} of {world.size} processes: RANK must be less than WORLD_SIZE")
    return world


def unused_tasks(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return a note if the tasks of a Slurm job are not used, since srun has not started this process."""
    tasks = environment.get("SLURM_NTASKS", "1")
    if tasks == "1" or "WORLD_SIZE" in environment or "SLURM_STEP_NUM_TASKS" in environment:
        return None
    return f"SLURM_NTASKS is {tasks}, but srun has not started this process: it trains alone"


def rendezvous(environment: Mapping[str, str] = os.environ) -> str:
    """Return where the processes of a run find each other, as a URL for torch.distributed; raises ExperimentError.

    That is a file of `--processes`, MASTER_ADDR and MASTER_PORT of torchrun, or in a Slurm job step its first node.
    """
    if file := environment.get("FTAUG_RENDEZVOUS"):
        return f"file://{file}"
    address, port = environment.get("MASTER_ADDR"), environment.get("MASTER_PORT")
    if nodes := environment.get("SLURM_STEP_NODELIST"):
        address = address or first_node(nodes)
        job = int(environment.get("SLURM_JOB_ID", "0")) + int(environment.get("SLURM_STEP_ID", "0"))
        port = port or str(PORTS[job % len(PORTS)])
    if not address or not port:
        raise ExperimentError("MASTER_ADDR and MASTER_PORT must be set with WORLD_SIZE: start by torchrun or srun")
    return f"tcp://{address}:{port}"


def first_node(nodes: str) -> str:
    """Return the first of Slurm's list of nodes: `gpu[03-05,9],cpu1` → `gpu03`."""
    match = FIRST_NODE.match(nodes)
    return nodes if match is None else f"{match[1]}{match[2] or ''}{match[3] or ''}"
