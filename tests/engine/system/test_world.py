"""The rank of a process, from the variables of torchrun, srun and `--processes`."""

import pytest

from ftaug.engine.system.world import World, first_node, of_environment, rendezvous, unused_tasks
from ftaug.errors import ExperimentError

SBATCH = {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "8", "SLURM_PROCID": "0", "SLURM_LOCALID": "0"}
SRUN = {**SBATCH, "SLURM_STEP_NUM_TASKS": "8", "SLURM_PROCID": "5", "SLURM_LOCALID": "1"}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, World(0, 1, 0, 1)),
        ({"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}, World(3, 4, 1, 2)),
        ({"RANK": "0", "WORLD_SIZE": "1"}, World(0, 1, 0, 1)),
        (SBATCH, World(0, 1, 0, 1)),
        ({**SRUN, "SLURM_STEP_TASKS_PER_NODE": "4(x2)"}, World(5, 8, 1, 4)),
        ({**SRUN, "SLURM_STEP_TASKS_PER_NODE": "4,4"}, World(5, 8, 1, 4)),
        ({**SBATCH, "SLURM_STEP_NUM_TASKS": "1"}, World(0, 1, 0, 1)),
    ],
)
def test_the_environment_gives_rank_and_number(environment, expected) -> None:
    assert of_environment(environment) == expected
    assert expected.is_first == (expected.rank == 0)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"WORLD_SIZE": "2"}, "RANK: must be a number, as torchrun and srun set it; got ''"),
        ({"WORLD_SIZE": "two", "RANK": "0"}, "WORLD_SIZE: must be a number, as torchrun and srun set it; got 'two'"),
        ({"WORLD_SIZE": "2", "RANK": "2"}, "rank 2 of 2 processes: RANK must be less than WORLD_SIZE"),
    ],
)
def test_an_incomplete_environment_is_an_error(environment, message) -> None:
    with pytest.raises(ExperimentError) as error:
        of_environment(environment)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ("node7", "node7"),
        ("node7,node9", "node7"),
        ("gpu[03-05,9],cpu1", "gpu03"),
        ("rack2-gpu[1,4]-ib,other", "rack2-gpu1-ib"),
    ],
)
def test_the_first_node_of_a_list(nodes, expected) -> None:
    assert first_node(nodes) == expected


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"FTAUG_RENDEZVOUS": "/tmp/x"}, "file:///tmp/x"),
        ({"MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "29500"}, "tcp://10.0.0.1:29500"),
        ({"SLURM_STEP_NODELIST": "n[1-2]", "SLURM_JOB_ID": "20005", "SLURM_STEP_ID": "1"}, "tcp://n1:20006"),
        ({"SLURM_STEP_NODELIST": "n1", "SLURM_JOB_ID": "3", "MASTER_PORT": "1234"}, "tcp://n1:1234"),
    ],
)
def test_processes_find_each_other(environment, expected) -> None:
    assert rendezvous(environment) == expected


def test_without_an_address_there_is_an_error() -> None:
    with pytest.raises(ExperimentError, match="MASTER_ADDR and MASTER_PORT must be set with WORLD_SIZE"):
        rendezvous({})


def test_tasks_of_a_slurm_job_that_srun_has_not_started_are_noted() -> None:
    assert unused_tasks(SBATCH) == "SLURM_NTASKS is 8, but srun has not started this process: it trains alone"
    for environment in ({}, SRUN, {**SBATCH, "SLURM_NTASKS": "1"}, {**SBATCH, "RANK": "0", "WORLD_SIZE": "8"}):
        assert unused_tasks(environment) is None
