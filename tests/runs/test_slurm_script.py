"""Batch scripts for Slurm: golden scripts, and a walk through a job with fake commands."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ftaug.errors import ExperimentError
from ftaug.runs.slurm_script import Job, parse_array, parse_time, script

SINGLE = """#!/bin/bash
#SBATCH --job-name=flowers
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --gpus-per-node=4
#SBATCH --time=0-04:00:00
#SBATCH --output=flowers-%j.log
#SBATCH --open-mode=append
#SBATCH --signal=USR1@120
#SBATCH --requeue
#SBATCH --partition=gpu

run='runs/my flowers-01234567'
srun --kill-on-bad-exit=1 ftaug train 'my flowers.yaml' 'augment+={rotate: {degrees: 10}}' --run-dir "$run"
ftaug status "$run"
code=$?
if [ "$code" -eq 75 ]; then  # stopped in time, with a checkpoint: continue in a new job
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
"""
JOB = Job(
    name="flowers",
    config=Path("my flowers.yaml"),
    overrides=("augment+={rotate: {degrees: 10}}",),
    run=Path("runs/my flowers-01234567"),
    nodes=2,
    tasks=4,
    gpus=4,
    time=parse_time("4:00"),
    options=("--partition=gpu",),
)
ARRAY = Job("a", Path("a.yaml"), (), Path("runs/a-0"), cpus=8, seeds=(0, 4))
FOLDS = Job("a", Path("a.yaml"), (), Path("runs/a-0"), folds=5)


def test_a_script_for_one_job() -> None:
    assert script(JOB) == SINGLE


@pytest.mark.parametrize(
    ("job", "lines"),
    [
        (
            ARRAY,
            [
                "#SBATCH --array=0-4",
                "#SBATCH --cpus-per-task=8",
                "#SBATCH --output=a-%A_%a.log",
                'run=runs/a-0-seed-"$SLURM_ARRAY_TASK_ID"',
                'srun --kill-on-bad-exit=1 ftaug train a.yaml seed="$SLURM_ARRAY_TASK_ID" --run-dir "$run"',
                '  scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"',
            ],
        ),
        (
            FOLDS,
            [
                "#SBATCH --array=1-5",
                'run=runs/a-0-fold-"$SLURM_ARRAY_TASK_ID"',
                "srun --kill-on-bad-exit=1 ftaug train a.yaml "
                'data.val="{fold: $SLURM_ARRAY_TASK_ID, of: 5}" --run-dir "$run"',
            ],
        ),
    ],
)
def test_arrays_have_a_run_for_each_job(job, lines) -> None:
    assert not set(lines) - set(script(job).splitlines())


@pytest.mark.parametrize("job", [JOB, ARRAY, FOLDS])
def test_the_shell_accepts_the_script(job) -> None:
    subprocess.run(["bash", "-n"], input=script(job), text=True, check=True)


@pytest.mark.parametrize(("code", "requeued"), [(75, True), (65, False)])
def test_a_job_that_stopped_in_time_is_queued_again(tmp_path, code, requeued) -> None:
    for name, body in {
        "srun": f'echo srun "$@" >> commands; exit {code}',
        "scontrol": 'echo scontrol "$@" >> commands',
        "ftaug": f'exec {sys.executable} -m ftaug "$@"',
    }.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{body}\n")
        (tmp_path / name).chmod(0o755)
    run = tmp_path / "runs" / "my flowers-01234567"
    run.mkdir(parents=True)
    (run / "status.json").write_text(json.dumps({"step": 12, "running": False, "exit_code": code}))
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_JOB_ID": "77"}
    done = subprocess.run(["bash"], input=script(JOB), cwd=tmp_path, env=environment, text=True, check=False)
    assert done.returncode == code
    srun, *rest = (tmp_path / "commands").read_text().splitlines()
    assert srun == (
        "srun --kill-on-bad-exit=1 ftaug train my flowers.yaml augment+={rotate: {degrees: 10}} "
        "--run-dir runs/my flowers-01234567"
    )
    assert rest == (["scontrol requeue 77"] if requeued else [])


@pytest.mark.parametrize(
    ("text", "expected"), [("4:00", "0-04:00:00"), ("30:15:10", "1-06:15:10"), ("2-12:00", "2-12:00:00")]
)
def test_hours_and_minutes_are_read_as_such(text, expected) -> None:
    assert parse_time(text) == expected


@pytest.mark.parametrize("text", ["4", "4:60", "4h", "1:2", "0:10:60"])
def test_other_times_are_an_error(text) -> None:
    with pytest.raises(ExperimentError, match=f"--time: must be hours and minutes such as 4:00.*got '{text}'"):
        parse_time(text)


def test_arrays_are_ranges_of_seeds() -> None:
    assert parse_array("seeds=3..7") == (3, 7)
    for text in ("0-4", "seeds=4..0", "lr=1..2"):
        with pytest.raises(
            ExperimentError, match=f"--array: must be a range of seeds such as seeds=0..4; got '{text}'"
        ):
            parse_array(text)
