"""What is wrong with the states that a crash can leave, and with the end of a run whose disk failed."""

import re
import shutil
from pathlib import Path

from command_scenarios import run_results
from crash_states import SHORT, Failure, repeat
from disk_model import TEMPORARY, UNREAD
from recorded_training import Recorded
from run_bits import differing

from ftaug.engine.system import checkpoint
from ftaug.engine.system.run_files import step_of
from ftaug.errors import FtaugError, StorageError


def problems_of_state(run: Recorded, key: str, folder: Path) -> list[str]:
    """List what is wrong with a state: a saved checkpoint is lost, or the same command ends otherwise."""
    shutil.rmtree(folder, ignore_errors=True)
    run.recording.write(key, folder)
    saved_step = run.recording.states[key].saved_step if run.scenario.results is run_results else 0
    if problems := lost_checkpoints(folder, saved_step):
        return problems
    code, stderr = repeat(run.recording, key, run.scenario.arguments, folder)
    if code:
        return [f"the same command ended with {code}: {stderr.strip()[-300:]}"]
    differences = differing(run.scenario.results(folder), run.whole)
    return [f"{', '.join(differences)} differ"] if differences else []


def lost_checkpoints(folder: Path, saved_step: int) -> list[str]:
    """List what is wrong with the checkpoints of a state after the one of a step had been saved."""
    try:
        newest = next((checkpoint.newest(path) for path in folder.glob("runs/*/checkpoints")), None)
    except FtaugError as error:
        return [str(error)] if saved_step else []
    step = 0 if newest is None else step_of(newest)
    return [f"the newest checkpoint is that of step {step}, after that of {saved_step}"] if step < saved_step else []


def problems_of_failure(run: Recorded, failure: Failure) -> list[str]:
    """List what is wrong with the end of a command whose disk failed."""
    path = Path(failure.operation.partition(" ")[2])
    problems = [f"half a file: {name}" for name in (*failure.half_files, *_half_files(run, failure))]
    if "Traceback" in failure.stderr or "internal error" in failure.stderr:
        problems.append("a traceback")
    if failure.error == SHORT or (failure.code == 0 and path.name in ("train.log", "report", ".lock")):
        return problems if failure.code == 0 else [*problems, f"exit code {failure.code}"]
    if failure.code != StorageError.exit_code:
        return [*problems, f"exit code {failure.code}"]
    error = [line for line in failure.stderr.splitlines() if "run the same command again" in line]
    final = path.with_name(re.sub(r"^\.tmp-(.*?)(-\d+)?$", r"\1", path.name)) if path.name else path
    named = {str(path), str(path.parent), str(path.parent.parent)} - {".", "runs"} | {str(path), str(final)}
    if path.name == "train.log":  # its own errors end nothing: that of the next file does, if the disk fails for good
        named = {""}
    if len(error) != 1 or not any(name in error[0] for name in named):
        problems.append(f"the error does not name the file: {error}")
    return problems


def _half_files(run: Recorded, failure: Failure) -> list[str]:
    """List the files that are neither as before the command nor as at its end."""
    if run.scenario.growing is None:
        return []
    states = run.recording.states
    before, *_ = (state.tree for state in states.values())
    end = next(state.tree for state in states.values() if "the end" in state.causes)
    return [
        name
        for name, content in states[failure.key].tree.items()
        if content not in (before.get(name), end.get(name), "dir")
        and not TEMPORARY.search(name)
        and Path(name).name not in (*UNREAD, *run.scenario.growing)
    ]
