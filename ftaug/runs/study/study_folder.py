"""The folder of a study: its description, and a folder for each run that a process has claimed.

The run folders are the only state. A run is claimed by renaming a prepared folder to its name, which fails if another
process was first, and its lock says whether a process works on it.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from ftaug.config.dump import to_plain
from ftaug.config.experiment import Experiment
from ftaug.config.renamed import with_current_metrics
from ftaug.config.strict_json import dumps, nan_for_null
from ftaug.engine.system import storage
from ftaug.engine.system.lock import is_locked
from ftaug.engine.system.resume_check import LISTED, changes, flat
from ftaug.engine.system.run_files import COMPLETE_FILE, RUN_SPEC_FILE, STATUS_FILE, STUDY_FILE, read_json
from ftaug.errors import ExperimentError, RunFolderTaken
from ftaug.runs.study.study_run import FAILURE_FILE, Failure, RunSpec, StudyRun

UNCLAIMED = ".claim-"
"""How the names of folders begin that are being prepared."""


@dataclass(frozen=True)
class StudyFolder:
    """The folder of a study."""

    path: Path

    def describe(self, description: Mapping[str, Any]) -> None:
        """Write the description; raises RunFolderTaken if the folder holds anything but a study."""
        if self.description is None and self.path.is_dir() and any(self.path.iterdir()):
            raise RunFolderTaken(f"{self.path}: is neither empty nor a study; choose another --output")
        with storage.storage_errors(f"{self.path}: cannot be written"):
            storage.make_durable(self.path)
            storage.replace(self.path / STUDY_FILE, (dumps(description, indent=1) + "\n").encode())

    @property
    def description(self) -> dict[str, Any] | None:
        """The description; None if there is no study yet. Raises BadData."""
        return read_json(self.path / STUDY_FILE)

    def runs(self) -> list[StudyRun]:
        """Return all claimed runs by name; raises BadData."""
        folders = sorted(self.path.glob(f"[!.]*/{RUN_SPEC_FILE}"))
        return [_read_run(file.parent) for file in folders]

    def claim(self, spec: RunSpec) -> StudyRun | None:
        """Create the folder of a run; None if another process was first."""
        content = dumps({"overrides": list(spec.overrides), "facts": spec.facts}, indent=1) + "\n"
        path = self.path / spec.name
        with storage.storage_errors(f"{path}: cannot be created"):
            prepared = self.path / f"{UNCLAIMED}{uuid4().hex}"
            prepared.mkdir()
            try:
                storage.write_durable(prepared / RUN_SPEC_FILE, content.encode())
                prepared.rename(path)  # fails unless the target is missing, as a folder with a file in it is not empty
            except OSError:
                shutil.rmtree(prepared, ignore_errors=True)
                if not (path / RUN_SPEC_FILE).is_file():
                    raise
                return None
            storage.sync_folder(self.path)
        return StudyRun(spec, path)

    def clean(self) -> None:
        """Remove what processes left that were killed while they claimed a run."""
        for prepared in self.path.glob(f"{UNCLAIMED}*"):
            storage.remove(prepared)

    def fail(self, run: StudyRun, failure: Failure) -> None:
        """Record the error that ended a run for good."""
        with storage.storage_errors(f"{run.path}: cannot be written"):
            content = dumps({"exit_code": failure.exit_code, "message": failure.message}, indent=1) + "\n"
            storage.replace(run.path / FAILURE_FILE, content.encode())


def study_of(path: Path, command: str, experiment: Experiment) -> StudyFolder:
    """Create the folder of a study of an experiment, or check that it holds that one; raises ExperimentError."""
    folder, description = StudyFolder(path), {"command": command, "experiment": to_plain(experiment)}
    recorded = folder.description
    if recorded is None:
        folder.describe(description)
        return folder
    differing = changes(flat(recorded.get("experiment", {})), flat(description["experiment"]))
    rows = [f"{key}: {before} → {now}" for key, (before, now) in differing.items()]
    if rows or recorded.get("command") != command:
        more = [f"and {len(rows) - LISTED} more"] if len(rows) > LISTED else []
        raise ExperimentError(f"{path} holds another study; name another folder by --output", *rows[:LISTED], *more)
    return folder


def is_in_use(run: StudyRun) -> bool:
    """Whether a process on this machine, or on one that shares its locks, trains the run."""
    return is_locked(run.path)


def starts_without_progress(run: StudyRun) -> int:
    """Return how often in a row the training of a run was started from its newest checkpoint."""
    return int((read_json(run.path / STATUS_FILE) or {}).get("starts_at_step", 0))


def _read_run(path: Path) -> StudyRun:
    spec = read_json(path / RUN_SPEC_FILE, {"overrides": list, "facts": dict}) or {}
    complete = read_json(path / COMPLETE_FILE)
    failure = read_json(path / FAILURE_FILE, {"exit_code": int, "message": str})
    return StudyRun(
        RunSpec(path.name, tuple(spec["overrides"]), spec["facts"]),
        path,
        None if complete is None else with_current_metrics(nan_for_null(complete["metrics"])),
        None if failure is None else Failure(failure["exit_code"], failure["message"]),
    )
