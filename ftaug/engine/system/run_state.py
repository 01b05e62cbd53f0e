"""The state of a run, from the files of its folder; imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ftaug.engine.system.lock import is_locked
from ftaug.engine.system.run_files import COMPLETE_FILE, FOLDS_FILE, STATUS_FILE, fold_folder, read_json
from ftaug.errors import MissingInput, OutOfMemory, Stopped

TO_CONTINUE = Stopped.exit_code


@dataclass(frozen=True)
class RunState:
    """The state of a run, and the exit code of its last command."""

    name: str  # complete, running, stopped, killed or failed
    step: int  # of the newest checkpoint when the last start began, or of the end
    exit_code: int
    place: str = ""  # the fold, if it is one

    def __str__(self) -> str:
        """Return a human-readable description."""
        ends = {
            "complete": f"complete, {self.step:,} steps",
            "running": "running",
            "stopped": "stopped; the same command continues",
            "killed": "killed, probably because memory ran out; the same command continues",
            "failed": f"failed with exit code {self.exit_code}; see train.log",
        }
        return f"{self.place}{ends[self.name]}"


def read_state(run: Path) -> RunState:
    """Read the state of a run, or of the first fold that is not complete; raises MissingInput, BadData."""
    folds = read_json(run / FOLDS_FILE)
    if folds is None:
        return _single(run)
    for number in range(1, folds["folds"] + 1):
        fold = fold_folder(run, number)
        state = _single(fold) if fold.exists() else RunState("stopped", 0, TO_CONTINUE)
        if state.name != "complete":
            return RunState(state.name, state.step, state.exit_code, f"fold {number} of {folds['folds']}: ")
    return state


def _single(run: Path) -> RunState:
    status = read_json(run / STATUS_FILE, {"step": int, "running": bool})
    if status is None:
        raise MissingInput(f"{run}: is not a run folder (no status.json)")
    if (complete := read_json(run / COMPLETE_FILE)) is not None:
        return RunState("complete", complete["step"], 0)
    step = status["step"]
    if status["running"]:
        return RunState("running", step, 0) if is_locked(run) else RunState("killed", step, OutOfMemory.exit_code)
    code = int(status.get("exit_code", TO_CONTINUE))  # absent if a signal ended the start before the first step
    return RunState("stopped" if code in (TO_CONTINUE, 130) else "failed", step, code)
