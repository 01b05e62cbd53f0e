"""The state of a training run between two steps: evaluation, checkpointing and early stopping."""

import math
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ftaug.engine.system import checkpoint
from ftaug.engine.system.ranks import VOTE
from ftaug.engine.system.run_folder import RunFolder
from ftaug.engine.system.signals import REASONS, StopRequests
from ftaug.engine.training import evaluate
from ftaug.engine.training.batchnorm import evaluation_model, keep_statistics
from ftaug.engine.training.choose_best import best_index, without_improvement
from ftaug.engine.training.evaluate import Measurement
from ftaug.engine.training.feature_cache import evaluation_inputs
from ftaug.engine.training.fit import Progress
from ftaug.engine.training.nonfinite import recovery_of
from ftaug.engine.training.state import TrainingState
from ftaug.runs.checkpointing import checkpoint_size, load_checkpoint, save_checkpoint
from ftaug.runs.metrics_log import MetricsLog
from ftaug.runs.report.progress_bar import ProgressBar

SECONDS_BETWEEN_CHECKPOINTS = 300.0

CHECKPOINT_SHARE = 0.02
"""Maximum share of the time that saving may take, unless train.save_every is set."""

LEAST_RESERVE = 5.0
"""Seconds that a process needs to exit after saving."""

SLOW_DISK = 50e6
"""Assumed write speed in bytes per second, until the first checkpoint has been timed."""

SAVE = "save"
"""The vote to save a checkpoint."""


@dataclass
class Session:
    """A training run: its training state, its progress, and the run folder that it writes."""

    state: TrainingState
    folder: RunFolder
    progress: Progress
    origin: str  # human-readable: `new`, or the step that it continues from
    log: MetricsLog = field(init=False)
    saved_at: float = field(default_factory=time.monotonic)
    saved_step: int = -1
    save_seconds: float | None = None  # duration of the last save
    step_seconds: float = 0.0  # duration of the slowest step
    best: Measurement | None = None  # the best evaluation, unless it was before a resume

    def __post_init__(self) -> None:
        self.log = MetricsLog(self.state, self.progress, self.folder)

    @classmethod
    def begin(cls, state: TrainingState, folder: RunFolder) -> "Session":
        """Start a new run at step 0."""
        folder.restore_metrics("")
        return cls(state, folder, Progress(), "new")

    @classmethod
    def resume(cls, state: TrainingState, folder: RunFolder, path: Path) -> "Session":
        """Restore a run from a checkpoint; raises DataChanged, ExperimentError, BadData."""
        progress, origin = load_checkpoint(state, folder, path)
        return cls(state, folder, progress, origin, saved_step=progress.step)

    @property
    def at_end(self) -> bool:
        """Whether the last step is done."""
        return self.progress.step >= self.state.training_length.total_steps

    @property
    def finished(self) -> bool:
        """Whether the run has reached its last step or stopped early."""
        return (self.at_end and not self._evaluation_due()) or self._stops_early()

    def should_continue(self, stop: StopRequests) -> bool:
        """Whether to take another step, after saving if that is due; all processes agree on both."""
        chosen = (stop.reason, SAVE if self._save_is_due() else None)
        agreed = self.state.ranks.vote((SAVE, *REASONS), chosen, VOTE)
        if SAVE in agreed:
            self.save()
        reason = next((each for each in agreed if each != SAVE), None)
        if reason is not None:
            stop.request(reason)
        return reason is None and not self.finished

    @property
    def reserve(self) -> float:
        """Seconds before a job's time limit at which the run stops: the time of two steps and two checkpoints."""
        save = self._checkpoint_size / SLOW_DISK if self.save_seconds is None else self.save_seconds
        return LEAST_RESERVE + 2 * (save + self.step_seconds)

    def evaluate_if_due(self, stop: StopRequests, progress_bar: ProgressBar) -> None:
        """Evaluate on validation if due, also when an earlier process stopped just before an evaluation."""
        if not self._evaluation_due():
            return
        state, progress = self.state, self.progress
        began = time.monotonic()
        averaged = evaluation_model(state, progress.step)
        keep_statistics(state, averaged, progress.step)
        model, source, workers = evaluation_inputs(state, averaged, progress.step)
        logits = evaluate.predict_all(
            model,
            source,
            state.experiment.evaluate.batch_size or state.experiment.data.batch_size,
            state.evaluation_device,
            workers,
            carry_on=lambda: stop.reason is None,
            ranks=state.ranks,
        )
        if logits is None:
            return
        targets = state.splits["val"].targets
        predictions = evaluate.probabilities(logits, state.experiment.loss.fact("activation"))
        measured = evaluate.compute_metrics(state.experiment, logits, predictions, targets, state.task, state.loss)
        values = state.ranks.numbers_of_first(measured.values)
        is_best = self._add_score(values)
        self.saved_step = -1  # an existing checkpoint of this step lacks the evaluation: save it again
        self.log.log_evaluation(values, time.monotonic() - began, is_best, progress_bar)
        if is_best:
            self.best = measured
            self.save()

    def _add_score(self, values: dict[str, float]) -> bool:
        """Add the results of an evaluation to the progress; return whether it is the best."""
        progress = self.progress
        progress.losses += [math.nan] * (len(progress.scores) - len(progress.losses))  # absent in older checkpoints
        progress.scores.append(evaluate.score(self.state.experiment, values))
        progress.losses.append(values["loss"])
        progress.evaluated = progress.step
        is_best = best_index(progress.scores, progress.losses) == len(progress.scores) - 1
        if is_best:
            progress.best_step = progress.step
        return is_best

    @property
    def _evaluation_interval(self) -> int:
        return max(1, self.state.experiment.evaluate.every.steps(self.state.training_length))

    def _evaluation_due(self) -> bool:
        step = self.progress.step
        is_in_time = step % self._evaluation_interval == 0 or self.at_end
        return "val" in self.state.splits and step > self.progress.evaluated and is_in_time

    def _stops_early(self) -> bool:
        """Whether early stopping applies: no improvement within `early_stop.patience` evaluations."""
        early, scores = self.state.experiment.train.early_stop, self.progress.scores
        if early is None or len(scores) <= early.patience:
            return False
        return without_improvement(scores, early.min_delta) >= early.patience

    def _save_is_due(self) -> bool:
        """Whether rank 0 is to save a checkpoint: every `train.save_every`, or every five minutes.

        Less often than that if saving takes long, and always if `on_nonfinite: rollback` may return to this step.
        """
        every, step = self.state.experiment.train.save_every, self.progress.step
        if self.progress.rollback_step == step:
            return True
        if every is not None:
            return step > 0 and step % max(1, every.steps(self.state.training_length)) == 0
        interval = max(SECONDS_BETWEEN_CHECKPOINTS, (self.save_seconds or 0.0) / CHECKPOINT_SHARE)
        return time.monotonic() - self.saved_at >= interval and self.state.ranks.world.is_first

    def mark_rollback_point(self) -> None:
        """Let `on_nonfinite: rollback` return to this step if it is the start of training or due for an evaluation.

        These steps depend on nothing but the experiment, so a run that was stopped in between rolls back to the same.
        """
        recovery = recovery_of(self.state.experiment.train, self.state.training_length)
        if recovery.action == "rollback" and self.progress.step % self._evaluation_interval == 0:
            self.progress.rollback_step = self.progress.step

    def save(self) -> None:
        """Save a checkpoint of the current step, unless there is one."""
        state, progress = self.state, self.progress
        if self.saved_step == progress.step:
            return
        began = time.monotonic()
        if state.average is not None and self.finished and "val" not in state.splits:
            keep_statistics(state, evaluation_model(state, progress.step), progress.step)
        progress.window_loss = self.log.window_loss.item()
        save_checkpoint(state, progress, self.folder)
        state.ranks.wait()
        self.saved_at, self.saved_step = time.monotonic(), progress.step
        self.save_seconds = self.saved_at - began

    def require_room(self) -> None:
        """Check the free disk space for the checkpoints of the run; raises StorageError."""
        checkpoint.require_room(self.folder.checkpoints, self._checkpoint_size)

    @cached_property
    def _checkpoint_size(self) -> int:
        return checkpoint_size(self.state)
