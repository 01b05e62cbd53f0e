"""Train the runs of a study, together with any other process that works on the same folder."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence

from ftaug.engine.system.signals import StopRequests
from ftaug.errors import FtaugError, Interrupted, NoProgress, RunFolderInUse, Stopped, StorageError, as_known
from ftaug.runs.study.study_folder import StudyFolder, is_in_use, starts_without_progress
from ftaug.runs.study.study_run import Failure, RunSpec, StudyRun

POLL = 0.5
"""Seconds between two looks at the runs of other processes."""

FAILURES = 3
"""A study in which so many runs failed and none is complete has a cause that further runs share."""

STARTS = 12
"""Starts in a row without a new checkpoint after which a killed run counts as failed; processes may be preempted."""

Plan = Callable[[Sequence[StudyRun]], RunSpec | None]
"""Returns the run to claim next, given those that exist; None to wait for results, or at the end."""


def work(
    folder: StudyFolder,
    plan: Plan,
    train: Callable[[StudyRun], None],
    progress: Callable[[Sequence[StudyRun], StudyRun | None], None] = lambda runs, current: None,
) -> Sequence[StudyRun]:
    """Train runs until the plan ends; return all of them. Raises Stopped, Interrupted.

    Unfinished runs that no process trains any more, as after a kill, are continued first. `progress` is called with the
    runs so far and the one that is trained next.
    """
    with StopRequests() as stop:
        while True:
            runs = folder.runs()
            _check_failures(folder, runs)
            if stop.reason is not None:
                raise _stopped(stop.reason, folder)
            run = _next(folder, runs, plan)
            progress(runs, run)
            if run is not None:
                _train(folder, run, train)
            elif all(each.is_finished for each in runs) and plan(runs) is None:
                folder.clean()
                return runs
            else:
                time.sleep(POLL)


def _next(folder: StudyFolder, runs: Sequence[StudyRun], plan: Plan) -> StudyRun | None:
    """Return an abandoned run, or claim the next of the plan; None if there is nothing to do but to wait."""
    for run in runs:
        if not run.is_finished and not is_in_use(run):
            return run
    spec = plan(runs)
    return None if spec is None else folder.claim(spec)


def _train(folder: StudyFolder, run: StudyRun, train: Callable[[StudyRun], None]) -> None:
    """Train a run, and record a failure; raises the errors that are not of this run alone."""
    try:
        train(run)
    except RunFolderInUse:  # another process was faster
        time.sleep(POLL)
    except NoProgress as error:
        if starts_without_progress(run) >= STARTS:
            folder.fail(run, Failure(error.exit_code, str(error)))
    except (Stopped, Interrupted, StorageError):
        raise
    except Exception as error:
        known = as_known(error)
        if isinstance(known, StorageError):
            raise known from error
        if known is None:
            (run.path / "crash.log").write_text("".join(traceback.format_exception(error)))
        message = str(known) if known else f"internal error: {type(error).__name__}: {error} (traceback in crash.log)"
        folder.fail(run, Failure(known.exit_code if known else FtaugError.exit_code, message))


def _check_failures(folder: StudyFolder, runs: Sequence[StudyRun]) -> None:
    """Raise the error of the last failure if the first runs have all failed."""
    failures = [run.failure for run in runs if run.failure is not None]
    if len(failures) >= FAILURES and not any(run.metrics is not None for run in runs):
        text = f"{folder.path}: the first {len(failures)} runs all failed; delete them to try again. The last error"
        raise failures[-1].error(f"{text}: {failures[-1].message}")


def _stopped(reason: str, folder: StudyFolder) -> FtaugError:
    text = f"stopped by {reason} between two runs of {folder.path}; the same command continues"
    return Interrupted(text) if reason == "Ctrl-C" else Stopped(text)
