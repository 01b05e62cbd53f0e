"""The state of a training run: metric logging, evaluation, checkpointing and early stopping between two steps."""

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ftaug import __version__
from ftaug.engine.system import checkpoint
from ftaug.engine.system.run_folder import RunFolder
from ftaug.engine.system.signals import StopRequests
from ftaug.engine.system.storage import make_inside
from ftaug.engine.training import evaluate
from ftaug.engine.training.batchnorm import evaluation_model, keep_statistics
from ftaug.engine.training.choose_best import best_index, without_improvement
from ftaug.engine.training.feature_cache import evaluation_inputs
from ftaug.engine.training.fit import Progress, Step, is_recorded
from ftaug.engine.training.optimizer_state import load_optimizer, optimizer_tensors
from ftaug.engine.training.peft import restore
from ftaug.engine.training.state import TrainingState
from ftaug.errors import BadData, DataChanged, ExperimentError
from ftaug.runs.report.progress_bar import ProgressBar
from ftaug.runs.report.tensorboard import log_row, open_writer
from ftaug.runs.trained_model import describe_model, load_weights

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

SECONDS_BETWEEN_CHECKPOINTS = 300.0

LEAST_RESERVE = 5.0
"""Seconds that a process needs to exit after saving."""

SLOW_DISK = 50e6
"""Assumed write speed in bytes per second, until the first checkpoint has been timed."""


@dataclass
class Session:
    """A training run: its training state, its progress, and the run folder that it writes."""

    state: TrainingState
    folder: RunFolder
    progress: Progress
    origin: str  # human-readable: `new`, or the step that it continues from
    saved_at: float = field(default_factory=time.monotonic)
    row_at: float = field(default_factory=time.monotonic)
    timed: int = 0  # samples since `row_at`
    saved_step: int = -1
    save_seconds: float | None = None  # that the last checkpoint took
    stepped_at: float | None = None
    step_seconds: float = 0.0  # of the slowest step
    tensorboard: "SummaryWriter | None" = None
    window_loss: Tensor = field(init=False)  # on the device: reading it each step would synchronize

    def __post_init__(self) -> None:
        self.window_loss = torch.tensor(self.progress.window_loss, dtype=torch.float64, device=self.state.device.torch)
        if self.state.experiment.train.tensorboard:
            self.tensorboard = open_writer(make_inside(self.folder.path / "tensorboard"), self.progress.step)

    @classmethod
    def begin(cls, state: TrainingState, folder: RunFolder) -> "Session":
        """Start a new run at step 0."""
        folder.restore_metrics("")
        return cls(state, folder, Progress(), "new")

    @classmethod
    def resume(cls, state: TrainingState, folder: RunFolder, path: Path) -> "Session":
        """Restore a run from a checkpoint; raises DataChanged, ExperimentError, BadData."""
        tensors, metadata = checkpoint.load(path)
        if metadata["digest"] != folder.digest:
            raise ExperimentError(f"{path}: belongs to another experiment; use --fresh or another --run-dir")
        if metadata["data"] != _fingerprints(state):
            raise DataChanged(f"{folder.path}: the data changed; put them back, or start over with --fresh")
        load_weights(state.model.network, tensors["model"], path)
        try:
            load_optimizer(state.optimizer, tensors["optimizer"])
            if state.average is not None:
                state.average.load(tensors["ema"])
            restore(state.method, state.model.network, tensors.get("method", {}))
            progress = Progress.from_json(metadata["progress"])
            if progress.scaler:
                state.scaler.load_state_dict(progress.scaler)
            folder.restore_metrics(metadata["metrics"])
        except (KeyError, TypeError, ValueError) as error:
            raise BadData(f"{path}: was not written by this version of ftaug ({error}); use --fresh") from error
        if progress.best_step is not None:
            folder.set_best(progress.best_step)
        origin = f"continued at step {progress.step}"
        recorded = metadata["conditions"]
        changed = [
            f"{name} {recorded[name]} → {now}"
            for name, now in _conditions(state).items()
            if recorded.get(name, now) != now
        ]
        if changed:
            origin += f"; not bit for bit the same run: {', '.join(changed)}"
        return cls(state, folder, progress, origin, saved_step=progress.step)

    @property
    def every(self) -> int:
        """Number of steps between two evaluations."""
        return max(1, self.state.experiment.evaluate.every.steps(self.state.horizon))

    @property
    def finished(self) -> bool:
        """Whether the run has reached its last step or stopped early."""
        at_end = self.progress.step >= self.state.horizon.total_steps
        return (at_end and not self._evaluation_due()) or self._stale()

    def goes_on(self, stop: StopRequests) -> bool:
        """Whether to take another step."""
        return stop.reason is None and not self.finished

    @property
    def ending(self) -> str:
        """Why the run ended, human-readable."""
        if self.progress.step < self.state.horizon.total_steps:
            metric, early = self.state.experiment.evaluate.best, self.state.experiment.train.early_stop
            return f"stopped early: no better {metric} in {early.patience if early else 0} evaluations"
        epochs = self.state.experiment.train.epochs
        return f"trained {epochs} epoch{'s' * (epochs != 1)}"

    @property
    def reserve(self) -> float:
        """Seconds before a job's time limit at which the run stops: the time of two steps and two checkpoints."""
        save = self.checkpoint_size / SLOW_DISK if self.save_seconds is None else self.save_seconds
        return LEAST_RESERVE + 2 * (save + self.step_seconds)

    def take(self, step: Step, stop: StopRequests, progress_bar: ProgressBar) -> None:
        """Process a finished step: log, evaluate and save a checkpoint when due."""
        if self.stepped_at is not None:
            self.step_seconds = max(self.step_seconds, time.monotonic() - self.stepped_at)
        stop.reserve = self.reserve
        self.window_loss += step.loss.double() * step.samples
        self.progress.window_samples += step.samples
        self.timed += step.samples
        progress_bar.advance()
        if is_recorded(self.state.horizon, step.number):
            self._write_row(step, progress_bar)
        began = time.monotonic()
        self.catch_up(stop, progress_bar)
        if self._checkpoint_due(step.number):
            self.save()
        self.stepped_at = time.monotonic()
        self.row_at += self.stepped_at - began  # exclude evaluation and saving from samples_per_second

    def catch_up(self, stop: StopRequests, progress_bar: ProgressBar) -> None:
        """Evaluate on validation if due, also when an earlier process stopped just before an evaluation."""
        if not self._evaluation_due():
            return
        state, progress = self.state, self.progress
        began = time.monotonic()
        split = state.splits["val"]
        averaged = evaluation_model(state, progress.step)
        keep_statistics(state, averaged, progress.step)
        model, source, workers = evaluation_inputs(state, averaged, progress.step)
        logits = evaluate.predict_all(
            model,
            source,
            self._evaluation_batch(),
            state.evaluation_device,
            workers,
            carry_on=lambda: stop.reason is None,
        )
        if logits is None:
            return
        values = evaluate.compute_metrics(state.experiment, logits, split.targets, state.task, state.loss).values
        score = evaluate.score(state.experiment, values)
        progress.losses += [math.nan] * (
            len(progress.scores) - len(progress.losses)
        )  # older checkpoints have no losses
        progress.scores.append(score)
        progress.losses.append(values["loss"])
        progress.evaluated = progress.step
        better = best_index(progress.scores, progress.losses) == len(progress.scores) - 1
        self.saved_step = -1  # an existing checkpoint of this step lacks the evaluation: save it again
        if better:
            progress.best_step = progress.step
        epoch = progress.step / state.horizon.epoch_steps
        self._record(
            {
                "step": progress.step,
                "epoch": epoch,
                "val": values,
                "time": {"seconds": round(time.monotonic() - began, 3)},
            }
        )
        figures = ", ".join(f"{name} {value:.4f}" for name, value in values.items())
        progress_bar.line(f"epoch {epoch:.4g}: val {figures}{' (best)' if better else ''}")
        if better:
            self.save()

    def require_room(self) -> None:
        """Check the free disk space for the checkpoints of the run; raises StorageError."""
        checkpoint.require_room(self.folder.checkpoints, self.checkpoint_size)

    @cached_property
    def checkpoint_size(self) -> int:
        """Size of a checkpoint in bytes, without the state of a PEFT method."""
        weights = list(self.state.model.network.state_dict().values())
        average = self.state.average.tensors.values() if self.state.average else ()
        trainable = [p for group in self.state.optimizer.param_groups for p in group["params"]]
        tensors = [*weights, *trainable, *trainable, *average]  # Adam keeps two values per trainable weight
        return sum(t.numel() * t.element_size() for t in tensors)

    def save(self) -> None:
        """Save a checkpoint of the current step, update `best` and prune older checkpoints."""
        if self.saved_step == self.progress.step:
            return
        began = time.monotonic()
        state, progress = self.state, self.progress
        progress.scaler = state.scaler.state_dict()
        progress.window_loss = self.window_loss.item()
        tensors = {"model": state.model.network.state_dict(), "optimizer": optimizer_tensors(state.optimizer)}
        if state.average is not None:
            if self.finished and "val" not in state.splits:
                keep_statistics(state, evaluation_model(state, progress.step), progress.step)
            tensors["ema"] = state.average.tensors
        if state.method.state:
            tensors["method"] = state.method.state
        metadata = {
            "progress": asdict(progress),
            "metrics": self.folder.metrics_text(),
            "digest": self.folder.digest,
            "data": _fingerprints(state),
            "conditions": _conditions(state),
        }
        checkpoint.save(self.folder.checkpoints, progress.step, tensors, metadata, describe_model(state))
        if progress.best_step == progress.step:
            self.folder.set_best(progress.step)  # before pruning: another process may be reading the previous best
        checkpoint.prune(self.folder.checkpoints, keep=[] if progress.best_step is None else [progress.best_step])
        self.saved_at, self.saved_step = time.monotonic(), progress.step
        self.save_seconds = self.saved_at - began

    def evaluations(self, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return a row per evaluation (per epoch without validation) with the mean training loss since the last one."""
        result, losses = [], []
        for row in rows:
            if "loss" in row:
                losses.append((row["loss"], row["samples"]))
            ends = "val" in row if "val" in self.state.splits else row["step"] % self.state.horizon.epoch_steps == 0
            if ends:
                mean = sum(loss * n for loss, n in losses) / max(1, sum(n for _, n in losses))
                result.append(
                    {"epoch": row["epoch"], "step": row["step"], "train_loss": mean, "metrics": row.get("val", {})}
                )
                losses = []
        return result

    def best(self, evaluations: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Return step and metrics of the best checkpoint; without evaluations make the last one the best."""
        for row in evaluations:
            if row["step"] == self.progress.best_step:
                return {"step": row["step"], "metrics": row["metrics"]}
        self.folder.set_best(self.progress.step)
        return {"step": self.progress.step, "metrics": {}}

    def _write_row(self, step: Step, progress_bar: ProgressBar) -> None:
        loss = self.window_loss.item() / self.progress.window_samples
        seconds = time.monotonic() - self.row_at
        row: dict[str, Any] = {
            "step": step.number,
            "epoch": step.number / self.state.horizon.epoch_steps,
            "loss": loss,
            "lr": step.rate,
        }
        if step.gradient_norm is not None:
            row["gradient_norm"] = float(step.gradient_norm)
        row["gradients"] = {stage: float(f"{norm.item():.6g}") for stage, norm in step.stage_norms.items()}
        speed = round(self.timed / seconds, 2)
        self._record({**row, "samples": self.progress.window_samples, "time": {"samples_per_second": speed}})
        progress_bar.status(f"loss {loss:.4f}, lr {step.rate:.2e}")
        self.window_loss.zero_()
        self.progress.window_samples = 0
        self.row_at, self.timed = time.monotonic(), 0

    def _record(self, row: dict[str, Any]) -> None:
        self.folder.append_metrics(row)
        if self.tensorboard is not None:
            log_row(self.tensorboard, row)

    def _evaluation_due(self) -> bool:
        step = self.progress.step
        at_end = step == self.state.horizon.total_steps
        return "val" in self.state.splits and step > self.progress.evaluated and (step % self.every == 0 or at_end)

    def _evaluation_batch(self) -> int:
        return self.state.experiment.evaluate.batch_size or self.state.experiment.data.batch_size

    def _checkpoint_due(self, step: int) -> bool:
        every = self.state.experiment.train.save_every
        if every is not None:
            return step % max(1, every.steps(self.state.horizon)) == 0
        return time.monotonic() - self.saved_at >= SECONDS_BETWEEN_CHECKPOINTS

    def _stale(self) -> bool:
        """Whether early stopping applies: no improvement within `early_stop.patience` evaluations."""
        early, scores = self.state.experiment.train.early_stop, self.progress.scores
        if early is None or len(scores) <= early.patience:
            return False
        return without_improvement(scores, early.min_delta) >= early.patience


def _fingerprints(state: TrainingState) -> dict[str, str]:
    return {purpose: split.fingerprint for purpose, split in state.splits.items() if purpose != "test"}


def _conditions(state: TrainingState) -> dict[str, Any]:
    """Collect what bitwise reproducibility depends on besides the experiment: versions, device, precision, threads."""
    return {
        "ftaug": __version__,
        "torch": torch.__version__,
        "device": state.device.torch.type,
        "precision": state.device.precision,
        "evaluation precision": state.evaluation_device.precision,
        "threads": torch.get_num_threads(),
        "augment_device": "cuda" if state.device.augments else "cpu",
        "micro_batch": state.epochs.micro,
    }
