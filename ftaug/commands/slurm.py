"""`ftaug slurm`: write the batch script of a training on a Slurm cluster."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Annotated

import typer

from ftaug.commands.options import Config, Overrides, TrustPlugins
from ftaug.errors import ExperimentError, Unavailable


def slurm(
    config: Config,
    overrides: Overrides = None,
    nodes: Annotated[int, typer.Option(help="Number of machines.", min=1)] = 1,
    gpus_per_node: Annotated[int, typer.Option(help="GPUs of each machine, one process on each.", min=0)] = 0,
    tasks_per_node: Annotated[
        int | None, typer.Option(help="Processes on each machine; by default one for each GPU.", min=1)
    ] = None,
    cpus_per_task: Annotated[int | None, typer.Option(help="Cores of each process.", min=1)] = None,
    time: Annotated[
        str | None, typer.Option(help="Time limit: 4:00 is four hours, 2-00:00 two days.", metavar="[DAYS-]H:MM[:SS]")
    ] = None,
    array: Annotated[
        str | None, typer.Option(help="One job for each seed, such as seeds=0..4.", metavar="seeds=FIRST..LAST")
    ] = None,
    folds: Annotated[int | None, typer.Option(help="One job for each fold.", min=2)] = None,
    search: Annotated[
        int | None, typer.Option(help="Number of jobs that share `ftaug search`.", metavar="JOBS", min=1)
    ] = None,
    run_dir: Annotated[
        Path | None, typer.Option(help="The run folder, instead of runs/NAME-HASH; of a search its folder.")
    ] = None,
    sbatch: Annotated[
        list[str] | None,
        typer.Option(help="A further option of sbatch, such as --partition=gpu; may be repeated.", metavar="OPTION"),
    ] = None,
    submit: Annotated[bool, typer.Option("--submit", help="Submit the script with sbatch.")] = False,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Print the batch script of a training on a Slurm cluster: it stops in time, and continues by itself."""
    from ftaug.config.dump import folder_digest
    from ftaug.engine.system.run_files import default_path
    from ftaug.experiment_file import open_experiment
    from ftaug.runs.search.search_file import default_folder, open_search
    from ftaug.runs.slurm_script import Job, parse_array, parse_time, script

    arrays = {"--array": array, "--folds": folds, "--search": search}
    if len(used := [name for name, value in arrays.items() if value is not None]) > 1:
        raise ExperimentError(f"{' and '.join(used)}: are job arrays; use one of them")
    file = open_experiment(config, trust_plugins=trust_plugins)
    if search is None:
        experiment = file.experiment(list(overrides or ()))
        run = default_path(experiment.name, folder_digest(experiment, config.absolute().parent), run_dir)
    else:
        opened = open_search(file, list(overrides or ()))
        experiment, run = opened.experiment, run_dir or default_folder(opened.experiment.name)
    job = Job(
        name=experiment.name,
        config=config,
        overrides=tuple(overrides or ()),
        run=run,
        nodes=nodes,
        tasks=tasks_per_node or max(1, gpus_per_node),
        gpus=gpus_per_node,
        cpus=cpus_per_task,
        time=None if time is None else parse_time(time),
        seeds=None if array is None else parse_array(array),
        folds=folds,
        workers=search,
        options=tuple(sbatch or ()),
        trust_plugins=trust_plugins,
    )
    text = script(job)
    if not submit:
        print(text, end="")
        return
    try:
        done = subprocess.run(["sbatch"], input=text, text=True, check=False, capture_output=True)
    except FileNotFoundError:
        raise Unavailable("--submit: there is no sbatch on this machine; leave it out to print the script") from None
    if done.returncode:
        raise Unavailable(f"sbatch refused the script: {done.stderr.strip()}")
    print(done.stdout.strip())
