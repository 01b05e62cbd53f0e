"""Verify a run folder: every file against its hash or its format, and what the run can be continued from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ftaug.engine.system.run_files import (
    COMPLETE_FILE,
    FOLDS_FILE,
    STATUS_FILE,
    fold_folder,
    read_json,
    read_rows,
    step_of,
)
from ftaug.engine.system.run_state import RunState, read_state
from ftaug.errors import BadData, MissingInput
from ftaug.runs.verification import checkpoints, records
from ftaug.runs.verification.file_check import FileCheck


@dataclass(frozen=True)
class RunCheck:
    """A verified run folder."""

    run: Path
    state: RunState
    checks: Sequence[FileCheck]
    newest: Path | None  # the newest good checkpoint
    epoch: float | None  # at that checkpoint

    @property
    def damage(self) -> list[FileCheck]:
        """The files whose content is lost."""
        return [check for check in self.checks if check.is_damage]

    @property
    def resumption(self) -> str:
        """Describe from which step training continues."""
        if self.state.name == "complete":
            return str(self.state)
        if self.newest is None:
            return f"{self.state.name}, with no checkpoint to continue from"
        epoch = "" if self.epoch is None else f" (epoch {self.epoch:.4g})"
        return f"{self.state.name}, continues from step {step_of(self.newest)}{epoch}"

    def as_json(self) -> dict[str, Any]:
        """Return the outcome as JSON values."""
        return {
            "run": str(self.run),
            "good": not self.damage,
            "state": self.state.name,
            "resume": None if self.newest is None else {"step": step_of(self.newest), "epoch": self.epoch},
            "files": [asdict(check) for check in self.checks],
        }


def verify(folder: Path) -> list[RunCheck]:
    """Verify a run folder, the runs of its folds, or all run folders inside a folder; raises MissingInput."""
    runs = list(_runs_in(folder))
    if not runs:
        raise MissingInput(f"{folder}: holds no run folder (no status.json)")
    return [_verify_run(run) for run in runs]


def _runs_in(folder: Path) -> Iterator[Path]:
    if (folder / STATUS_FILE).exists() or (folder / "resolved.yaml").exists():
        yield folder
    elif (folder / FOLDS_FILE).exists():
        folds = read_json(folder / FOLDS_FILE) or {"folds": 0}
        yield from (fold for number in range(1, folds["folds"] + 1) if (fold := fold_folder(folder, number)).is_dir())
    elif folder.is_dir():
        for inner in sorted(folder.iterdir()):
            if inner.is_dir() and ((inner / STATUS_FILE).exists() or (inner / FOLDS_FILE).exists()):
                yield from _runs_in(inner)


def _verify_run(run: Path) -> RunCheck:
    checks: list[FileCheck] = []
    try:
        state, status = read_state(run), read_json(run / STATUS_FILE) or {}
    except (BadData, MissingInput) as error:
        detail = str(error).removeprefix(f"{run / STATUS_FILE}: ")
        state, status = RunState("failed", 0, BadData.exit_code), {}
        checks.append(FileCheck(STATUS_FILE, "damaged", detail))
    digest = str(status.get("digest", ""))
    checks += checkpoints.check_checkpoints(run, digest)
    newest = checkpoints.newest_good(run, checks)
    is_complete = state.name == "complete" or (run / COMPLETE_FILE).exists()
    checks = [_with_consequence(check, run, None if is_complete else newest) for check in checks]
    if is_complete:
        checks += records.check_complete(run)
    else:
        saved = {} if newest is None else checkpoints.read_state(newest)
        checks += records.check_unfinished(run, saved, is_running=state.name == "running")
    checks += [*records.check_report(run), *records.check_calibration(run), *records.check_exports(run)]
    checks += [FileCheck(path.name, "leftover", "of a write that was interrupted") for path in run.glob(".tmp-*")]
    return RunCheck(run, state, checks, newest, None if newest is None else _epoch(run, newest))


def _with_consequence(check: FileCheck, run: Path, newest: Path | None) -> FileCheck:
    """Add what a damaged checkpoint prevents: predictions, or continuing from it; `newest` is continued from."""
    step = step_of(Path(check.path))
    if not check.is_damage or step is None:
        return check
    texts = [check.detail]
    if (run / "best").is_symlink() and (run / "best").readlink().name == Path(check.path).name:
        texts.append("it is the best one, which evaluate, predict and export need: restore it from a copy")
    if newest is not None and step > (step_of(newest) or 0):
        texts.append(f"the run continues from step {step_of(newest)} instead")
    return replace(check, detail="; ".join(texts))


def _epoch(run: Path, path: Path) -> float | None:
    """Return the epoch of a checkpoint, by the rows of metrics.jsonl; None before its first row."""
    try:
        rows = read_rows(run / records.METRICS)
    except (BadData, OSError):
        return None
    step = step_of(path)
    row = next((row for row in rows if row["step"] and "epoch" in row), None)
    return None if row is None or step is None else step * row["epoch"] / row["step"]
