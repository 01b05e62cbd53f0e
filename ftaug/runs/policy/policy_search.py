"""Search a policy: train without augmentation, screen augmentations on that model, and search combinations of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from ftaug.config.experiment import Search
from ftaug.config.strict_json import dumps
from ftaug.engine.system import storage
from ftaug.engine.system.run_files import read_json
from ftaug.errors import ExperimentError, MissingInput
from ftaug.experiment_file import ExperimentFile
from ftaug.runs.ablation.ablate import train_all
from ftaug.runs.open_run import open_run
from ftaug.runs.policy.candidates import policy_overrides
from ftaug.runs.policy.screen import OpScreen, screen
from ftaug.runs.report import console
from ftaug.runs.search.confirm import require_confirmation
from ftaug.runs.search.search import Outcome
from ftaug.runs.search.search_file import held_out
from ftaug.runs.study.study_folder import StudyFolder, study_of
from ftaug.runs.study.study_run import RunSpec, StudyRun

PLAIN = ("augment=[]", "mix=null")
SCREEN_FILE, POLICY_FILE = "screen.json", "policy.yaml"


def default_folder(file: ExperimentFile, overrides: Sequence[str]) -> Path:
    """Return the folder of a policy search unless the user names one."""
    return Path("runs", f"{file.experiment(overrides).name}-policy")


def refuse_spaces(file: ExperimentFile, overrides: Sequence[str]) -> None:
    """Raise ExperimentError if the file has search spaces of its own."""
    if spaces := file.spaces(overrides):
        raise ExperimentError(f"--policy: {spaces[0].key} is a search space; search it before or after the policy")


def searched_overrides(
    file: ExperimentFile, overrides: Sequence[str], path: Path, train: Callable[[StudyRun], None] | None, device: str
) -> list[str]:
    """Return the overrides with a search of policies; `train` is None if nothing may be trained.

    The screen is stored in the folder, and all processes use the one that is stored first.
    """
    plain = (*overrides, *PLAIN)
    experiment = file.experiment(plain)
    if experiment.data.val is None:
        raise ExperimentError("--policy: chooses by validation samples, and data.val is null; set it")
    path = path.with_name(f"{path.name}-screen")
    stored = path / SCREEN_FILE
    is_stored, spec = stored.is_file(), RunSpec("plain", (*plain, *held_out(experiment)))
    if train is None and not is_stored:
        raise MissingInput(f"{path}: no search has been started there")
    if not is_stored and (experiment.search or Search()).confirm is not None:
        require_confirmation(file.experiment(spec.overrides))
    folder = study_of(path, "screen", experiment)
    if train is not None and not is_stored:
        run = _trained(file, folder, spec, train)
        _store(screen(open_run(run.path, device, trust_plugins=True)), stored)
    if train is not None:
        _clean(stored)
    return [*overrides, *policy_overrides(_read(stored), experiment)]


def _trained(file: ExperimentFile, folder: StudyFolder, spec: RunSpec, train: Callable[[StudyRun], None]) -> StudyRun:
    """Train the experiment without augmentation, on the samples that the trials of the search have."""
    (run,) = train_all(folder, file, [spec], train).values()
    if run.failure is not None:
        text = f"{run.path}: the experiment without augmentation failed; delete the folder to try it again"
        raise run.failure.error(f"{text}: {run.failure.message}")
    return run


def _store(screens: Sequence[OpScreen], path: Path) -> None:
    """Store a screen unless another process has stored one."""
    content = dumps({"screens": [each.as_json() for each in screens]}, indent=1) + "\n"
    with storage.storage_errors(f"{path}: cannot be written"):
        temporary = storage.temporary_name(path)
        storage.write_durable(temporary, content.encode())
        with suppress(FileExistsError, FileNotFoundError):  # the latter if another process has stored and cleaned up
            os.link(temporary, path)


def _clean(path: Path) -> None:
    """Remove the temporary files of this process, and of those that were killed, once the screen is stored."""
    for temporary in path.parent.glob(f".tmp-{path.name}-*"):
        temporary.unlink(missing_ok=True)


def _read(path: Path) -> list[OpScreen]:
    rows: Any = (read_json(path, {"screens": list}) or {})["screens"]
    return [
        OpScreen(
            row["op"],
            {float(s): value for s, value in row["affinity"].items()},
            {float(s): value for s, value in row["diversity"].items()},
            row["cap"],
            tuple(row["spared"]),
        )
        for row in rows
    ]


def write_policy(outcome: Outcome) -> Path:
    """Write `augment` and `mix` of the best policy, or of the reference if the confirmation shows no improvement."""
    search, confirmation = outcome.plan.search, outcome.confirmation
    is_kept = confirmation is None or confirmation.is_better
    values = outcome.best.values if is_kept else {space.key: space.first for space in search.spaces}
    path = outcome.folder / POLICY_FILE
    text = yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True)
    with storage.storage_errors(f"{path}: cannot be written"):
        storage.replace(path, text.encode())
    if not is_kept:
        console.say("the policy that was found is not better than the reference, which is written instead")
    return path
