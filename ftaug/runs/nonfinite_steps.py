"""Handle a training step whose loss or gradient is not finite, as `train.on_nonfinite` asks for."""

import shlex

from ftaug.config.wording import listed
from ftaug.engine.training.fit import Step
from ftaug.engine.training.nonfinite import recovery_of
from ftaug.errors import Diverged, Problem
from ftaug.runs import replay_file
from ftaug.runs.checkpointing import roll_back
from ftaug.runs.report.progress_bar import ProgressBar
from ftaug.runs.train_session import Session

SHOWN = 3


def recover(session: Session, step: Step, progress_bar: ProgressBar) -> None:
    """Record a step that was not applied; then skip it, roll back, or raise Diverged."""
    state, progress, folder = session.state, session.progress, session.folder
    recovery = recovery_of(state.experiment.train, state.training_length)
    if recovery.action == "stop":
        session.save()  # of the step before, so that `ftaug replay` repeats a single step
    if state.ranks.world.is_first:
        replay_file.write(folder, replay_file.record_step(state, step, recovery.action, folder.digest))
    hint = f"the samples of that step: ftaug replay {shlex.quote(str(folder.path))}"
    if recovery.action == "stop":
        raise Diverged(Problem(f"{step.error}; {hint}"))
    progress.nonfinite.append(step.number)
    if len(progress.nonfinite) > recovery.budget:
        steps = listed([str(number) for number in progress.nonfinite[-SHOWN:]], SHOWN)
        allowed = f"train.on_nonfinite allows {recovery.budget}"
        raise Diverged(f"{step.error}; {len(progress.nonfinite)} steps were not finite (… {steps}), {allowed}; {hint}")
    _log(session, step, recovery.action, recovery.budget, progress_bar)
    if recovery.action == "rollback":
        roll_back(state, progress, folder.checkpoints)


def _log(session: Session, step: Step, action: str, budget: int, progress_bar: ProgressBar) -> None:
    """Write a row about the step into metrics.jsonl, and print a line."""
    assert step.nonfinite is not None
    progress = session.progress
    facts = {step.nonfinite.figure.replace(" ", "_"): str(step.nonfinite.value), "action": action}
    done = "not applied"
    if action == "rollback":
        done = f"returned to the weights of step {progress.rollback_step}"
        facts["rollback_step"] = str(progress.rollback_step)
    count = f"{len(progress.nonfinite)} of at most {budget} times"
    text = f"step {step.number}: {step.nonfinite.figure} {step.nonfinite.value}: {done} ({count})"
    session.log.log_event(step, {"nonfinite": facts}, text, progress_bar)
