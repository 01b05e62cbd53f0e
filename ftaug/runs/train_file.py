"""Train the run of an experiment file, or the run of each fold; resume it from the latest checkpoint."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftaug.config.dump import data_paths, digest, folder_digest, missing_files, to_yaml, with_kept_plugins
from ftaug.config.experiment import Experiment
from ftaug.config.registry import Component
from ftaug.config.yaml_document import read
from ftaug.engine.system.launcher import announce_run
from ftaug.engine.system.run_files import FOLDS_FILE, MODEL_FILE, STATUS_FILE, default_path, fold_folder, read_json
from ftaug.engine.system.signals import StopRequests
from ftaug.engine.system.world import of_environment, unused_tasks
from ftaug.errors import (
    BadSample,
    DataChanged,
    Diverged,
    ExperimentError,
    FtaugError,
    Interrupted,
    MissingInput,
    Stopped,
)
from ftaug.experiment_file import load, open_experiment
from ftaug.runs.requirements import Requirement, check_names, names_in_training

if TYPE_CHECKING:
    from ftaug.engine.system.run_folder import RunFolder
    from ftaug.runs.training import Invocation


def train_file(
    config: Path,
    overrides: Sequence[str],
    *,
    run_dir: Path | None,
    fresh: bool,
    from_: Path | None,
    folds: int | None,
    device: str,
    trust_plugins: bool,
    requirements: Sequence[Requirement] = (),
    report: bool = True,
    plots: bool = True,
) -> dict[str, Any]:
    """Train or resume the run of an experiment file, or of each fold; return folder and results. Raises Stopped.

    With `report`, a single run ends with a report on validation; with `plots`, it has those of its curves.
    """
    start_time, world = time.time(), of_environment()
    continued = config if config.is_dir() else None
    if continued is not None:
        config, run_dir = _file_of(continued, run_dir, folds), continued
    file = open_experiment(config, trust_plugins=trust_plugins)
    start = [] if from_ is None else _initial_weights(from_, file.experiment(overrides), trust_plugins)
    experiment = file.experiment([*overrides, *start])
    check_names(requirements, names_in_training(experiment))

    # import torch only after the file is known to be valid: it takes seconds
    from ftaug.engine.system.ranks import joined
    from ftaug.engine.system.resume_check import same_settings
    from ftaug.runs.report import console
    from ftaug.runs.training import Invocation

    if note := unused_tasks():
        console.say(note)
    text = read(continued / "experiment.yaml") if continued else file.text
    folder = config.absolute().parent
    elsewhere = [] if run_dir is not None or fresh else _folders_of_runs(folder)
    single = folds is None
    invocation = Invocation(text, device, start_time, elsewhere, report=report and single, announce=single, plots=plots)
    if folds is None:
        path = default_path(experiment.name, folder_digest(experiment, folder), run_dir)
        known = digest(experiment)
        if continued is not None and known == digest(file.experiment()):
            known = _digest_of(continued)  # resolved.yaml also holds automatic choices
        elif missing_files(experiment) and same_settings(path, to_yaml(with_kept_plugins(experiment)[0])):
            known = _digest_of(path)  # the file of the initial weights is gone, but the checkpoint has them
        with joined(world) as ranks:
            together = replace(invocation, ranks=ranks)
            return _retry_on_changed_data(
                partial(_train_one, experiment, known, path, together, fresh=fresh), fresh=fresh
            )
    if world.size > 1:
        raise ExperimentError("--folds: trains each fold with a single process; leave --processes out")
    splits = _fold_overrides(experiment, folds)
    each = [file.experiment([*overrides, *start, val]) for val in splits]
    path = run_dir or Path(f"{default_path(experiment.name, folder_digest(each[0], folder))}-folds")
    return _retry_on_changed_data(partial(_train_folds, each, path, invocation, fresh=fresh), fresh=fresh)


def _folders_of_runs(folder: Path) -> list[Path]:
    """List the `runs` folders in which an earlier run may be: those of the working and the file's folder and above."""
    return [Path("runs"), *(above / "runs" for here in (Path.cwd(), folder) for above in (here, *here.parents))]


def _file_of(run: Path, run_dir: Path | None, folds: int | None) -> Path:
    """Return the experiment file of a run folder to resume; raises ExperimentError, MissingInput."""
    if (run / FOLDS_FILE).is_file():
        raise ExperimentError(f"{run}: holds folds; continue them by the `ftaug train --folds` command that created it")
    if run_dir is not None or folds is not None:
        option = "--run-dir" if run_dir is not None else "--folds"
        raise ExperimentError(f"{option}: {run} is a run folder, which is continued in place; leave the option out")
    if not (run / "resolved.yaml").is_file():
        raise MissingInput(f"{run}: neither an experiment file nor a run folder (no resolved.yaml)")
    if not (run / MODEL_FILE).is_file():
        raise ExperimentError(f"{run}: has no checkpoint to continue from; train its experiment file instead")
    return run / "resolved.yaml"


def _digest_of(run: Path) -> str:
    """Read the experiment digest of a run folder."""
    return str((read_json(run / STATUS_FILE) or {}).get("digest"))


def _retry_on_changed_data(train: Callable[[], dict[str, Any]], *, fresh: bool) -> dict[str, Any]:
    """Train; with `--fresh`, retry in the next folder if the data of the attempt to resume have changed."""
    try:
        return train()
    except DataChanged:
        if not fresh:
            raise
    return train()


def _train_one(
    experiment: Experiment, known: str, path: Path, invocation: Invocation, *, fresh: bool
) -> dict[str, Any]:
    """Train or resume one run to its end; return its folder and results. Raises Stopped."""
    from ftaug.runs.process_group import open_by_first, quiet
    from ftaug.runs.report import console

    portable, plugins = with_kept_plugins(experiment)
    opening = open_by_first(
        invocation.ranks,
        path,
        experiment_yaml=invocation.text,
        resolved_yaml=to_yaml(portable),
        digest=known,
        extra_files=plugins,
        fresh=fresh,
    )
    if invocation.announce:
        announce_run(opening.path)
    with opening as folder, quiet(invocation.ranks.world, folder.path):
        if folder.complete is None:
            try:
                _train(experiment, folder, invocation)
            except (Stopped, Diverged):  # keep the folder: its metrics are useful
                raise
            except FtaugError:
                folder.abandon()
                raise
            except Exception as error:
                error.run_folder = folder.path  # type: ignore[attr-defined]  # where an unexpected error writes its traceback
                raise
        else:
            _check_data(experiment, folder)
            console.say(f"already complete: {folder.path}")
        return {"run": str(folder.path), **(folder.complete or {})}


def _check_data(experiment: Experiment, folder: RunFolder) -> None:
    """Raise DataChanged if a complete run was trained on other data; print a note if the data are gone.

    If the same data have moved, the run folder is updated to their new path.
    """
    from ftaug.runs.report import console

    if gone := [str(path) for path in data_paths(experiment) if not path.exists()]:
        console.say(f"{folder.path}: its data cannot be compared, as they do not exist ({', '.join(gone)})")
        return
    from ftaug.runs.training import unchanged_data

    unchanged_data(experiment, folder.path)
    recorded = load(folder.path / "resolved.yaml", trust_plugins=True)  # this process has already imported its plugins
    if data_paths(recorded) != data_paths(experiment):
        relocated = replace(recorded, data=experiment.data)
        folder.write("resolved.yaml", to_yaml(with_kept_plugins(relocated)[0]))
        folder.write_manifest()


def _fold_overrides(experiment: Experiment, folds: int) -> list[str]:
    """Return the override of data.val for each fold; raises ExperimentError if data.val is a dataset of its own."""
    val = experiment.data.val
    if folds < 2:
        raise ExperimentError(f"--folds: must be 2 or more; got {folds}")
    if isinstance(val, Component):
        text = f"takes its validation samples from data.train, and data.val is a dataset of its own ({val.name})"
        raise ExperimentError(f"--folds: {text}; leave it out (~data.val), or make it data.test")
    return [f"data.val={{fold: {number}, of: {folds}}}" for number in range(1, folds + 1)]


def _train_folds(each: Sequence[Experiment], path: Path, invocation: Invocation, *, fresh: bool) -> dict[str, Any]:
    """Train or resume the run of each fold; return their mean metrics. Raises Stopped."""
    from ftaug.engine.system.run_folder import fresh_path
    from ftaug.engine.system.storage import make_inside
    from ftaug.runs import cross_validation
    from ftaug.runs.report import console, plots, training_summary

    known = digest(each[0])
    path = fresh_path(path, known) if fresh else path
    cross_validation.begin(path, known, len(each), fresh=fresh)
    announce_run(path)
    results: list[dict[str, Any]] = []
    with StopRequests(None, path / "stop") as between:  # during a run its own StopRequests apply
        for number, experiment in enumerate(each, start=1):
            if between.reason is not None:
                text = f"stopped by {between.reason} before fold {number} of {path}; the same command continues"
                raise Interrupted(text) if between.reason == "Ctrl-C" else Stopped(text)
            console.say(f"fold {number} of {len(each)}")
            try:
                fold = fold_folder(path, number)
                results.append(_train_one(experiment, digest(experiment), fold, invocation, fresh=False))
            except FtaugError as error:
                if not isinstance(error, Stopped | Interrupted):
                    cross_validation.fail(path)
                cross_validation.abandon(path)
                raise
    done = cross_validation.finish(path, results)
    plot = plots.folds(done, make_inside(path / "report") / "folds.png")
    console.say(cross_validation.table(done), f"plot: {plot}", "next:", *training_summary.next_steps(path))
    return {"run": str(path), **{key: done[key] for key in ("folds", "metrics", "sd", "each")}}


def _train(experiment: Experiment, folder: RunFolder, invocation: Invocation) -> None:
    from ftaug.runs.training import train

    limit = experiment.train.max_time
    with StopRequests(invocation.start_time + limit.seconds if limit else None, folder.path / "stop") as stop:
        try:
            train(experiment, folder, stop, invocation)
        except BadSample as error:
            raise BadSample(f"{error}; all such samples: ftaug inspect CONFIG --read") from None


def _initial_weights(from_: Path, experiment: Experiment, trust_plugins: bool) -> list[str]:
    """Return the override that initializes the backbone with another run's best weights."""
    if (Path(from_) / "resolved.yaml").is_file():
        method = load(Path(from_) / "resolved.yaml", trust_plugins=trust_plugins).method
        if method is not None and method.fact("learns") != "all":
            from ftaug.runs.merged_weights import merged_weights

            return [_weights_override(experiment, merged_weights(from_, trust_plugins=trust_plugins))]
    candidates = (Path(from_, "best", name).absolute() for name in ("ema.safetensors", "model.safetensors"))
    weights = next((path for path in candidates if path.is_file()), None)
    if weights is None:
        raise ExperimentError(f"--from {from_}: has no best checkpoint; name a run folder that `ftaug train` wrote")
    return [_weights_override(experiment, weights)]


def _weights_override(experiment: Experiment, weights: Path) -> str:
    return f"backbone.{experiment.backbone.name}.weights={json.dumps(str(weights))}"
