"""The processes that train a run together: their number and the rank of this one, from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from ftaug.errors import ExperimentError


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
