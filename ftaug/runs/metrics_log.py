"""Log training steps and evaluations: metrics.jsonl, the loggers and the progress bar."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch

from ftaug.engine.system.run_folder import RunFolder
from ftaug.engine.training.fit import Progress, Step, is_recorded
from ftaug.engine.training.loss_spikes import spike, with_loss
from ftaug.engine.training.state import TrainingState
from ftaug.runs.report.progress_bar import ProgressBar
from ftaug.runs.run_loggers import RunLoggers


@dataclass
class Window:
    """Training steps whose loss and speed are reported together."""

    loss: float = 0.0  # sum over the samples
    samples: int = 0
    seconds: float = 0.0
    timed_samples: int = 0  # those of this process, which `seconds` took
    rate: float = 0.0  # learning rate of the last step

    def __add__(self, other: "Window") -> "Window":
        """Join with later steps."""
        return Window(
            self.loss + other.loss,
            self.samples + other.samples,
            self.seconds + other.seconds,
            self.timed_samples + other.timed_samples,
            other.rate,
        )

    @property
    def mean_loss(self) -> float:
        """The mean loss of a sample."""
        return self.loss / self.samples

    @property
    def speed(self) -> float:
        """Samples per second."""
        return self.timed_samples / max(self.seconds, 1e-9)

    def __str__(self) -> str:
        return f"train loss {self.mean_loss:.4f}, lr {self.rate:.2e}, {self.speed:,.0f} samples/s"


class MetricsLog:
    """Logs the mean training loss of every few steps, and the metrics of every evaluation."""

    def __init__(self, state: TrainingState, progress: Progress, folder: RunFolder) -> None:
        self.length, self.progress, self.folder = state.training_length, progress, folder
        # sum of sample losses since the last row, on the device: reading it each step would synchronize
        self.window_loss = torch.tensor(progress.window_loss, dtype=torch.float64, device=state.device.torch)
        self.since_line, self.line_step = Window(), progress.step  # of the last line in the log
        logged = state.experiment if state.ranks.world.is_first else replace(state.experiment, loggers=())
        self.loggers = RunLoggers(logged, folder.path, progress.step)
        self.restart_clock()

    def restart_clock(self) -> None:
        """Measure samples per second from now on."""
        self.window_start, self.timed_samples = time.monotonic(), 0

    @contextmanager
    def clock_stopped(self) -> Iterator[None]:
        """Context manager whose time does not count for samples per second."""
        began = time.monotonic()
        yield
        self.window_start += time.monotonic() - began

    def log_step(self, step: Step, progress_bar: ProgressBar) -> None:
        """Add a training step to the window, and write a row when one is due."""
        if step.nonfinite is None:
            self.window_loss += step.loss.double() * step.samples
            self.progress.window_samples += step.samples
            self._log_spike(step, progress_bar)
        self.timed_samples += step.samples
        progress_bar.advance()
        if is_recorded(self.length, step.number) and self.progress.window_samples:
            self._end_window(step, progress_bar)

    def _log_spike(self, step: Step, progress_bar: ProgressBar) -> None:
        """Note a loss that is far above those of recent steps."""
        loss = step.loss.item()
        usual = spike(self.progress.recent_losses, loss)
        self.progress.recent_losses = with_loss(self.progress.recent_losses, loss)
        if usual is not None:
            text = f"step {step.number}: loss {loss:.4g}, {loss / usual:.0f} times the median of recent steps"
            self.log_event(step, {"spike": {"loss": loss, "median": usual}}, text, progress_bar)

    def log_event(self, step: Step, facts: Mapping[str, Any], text: str, progress_bar: ProgressBar) -> None:
        """Write a row about a single step into metrics.jsonl, and print a line."""
        row = {"step": step.number, "epoch": step.number / self.length.epoch_steps, **facts}
        self.folder.append_metrics(row)
        progress_bar.line(text)

    def log_evaluation(
        self, values: Mapping[str, float], seconds: float, best: bool, progress_bar: ProgressBar
    ) -> None:
        """Write the loss and metrics of an evaluation on validation."""
        step, epoch = self.progress.step, self.progress.step / self.length.epoch_steps
        self._write({"step": step, "epoch": epoch, "val": values, "time": {"seconds": round(seconds, 3)}})
        figures = ", ".join(f"{name} {value:.4f}" for name, value in values.items())
        self._log_line(f"val {figures}{' (best)' if best else ''}", progress_bar)

    def log_epoch(self, progress_bar: ProgressBar) -> None:
        """Print a line at the end of an epoch, unless its evaluation did, and every 30 seconds in between."""
        if self.progress.step > self.line_step and self.since_line.samples:
            if self.progress.step % self.length.epoch_steps == 0:
                self._log_line("", progress_bar)
            elif progress_bar.line_is_due:
                progress_bar.log(str(self.since_line))
                self._restart_line()

    def _log_line(self, evaluation: str, progress_bar: ProgressBar) -> None:
        """Print the values since the last line with those of an evaluation, if any; on a terminal in brief."""
        trained = self.since_line.samples > 0
        loss = f"train loss {self.since_line.mean_loss:.4f}" if trained else ""
        full, brief = (
            ", ".join(filter(None, (figures, evaluation)))
            for figures in (str(self.since_line) if trained else "", loss)
        )
        progress_bar.log(full, brief=f"epoch {self.progress.step / self.length.epoch_steps:.4g}: {brief}")
        self._restart_line()

    def _restart_line(self) -> None:
        self.since_line, self.line_step = Window(), self.progress.step

    def _end_window(self, step: Step, progress_bar: ProgressBar) -> None:
        seconds = time.monotonic() - self.window_start
        window = Window(
            self.window_loss.item(), self.progress.window_samples, seconds, self.timed_samples, float(step.rate)
        )
        row: dict[str, Any] = {
            "step": step.number,
            "epoch": step.number / self.length.epoch_steps,
            "loss": window.mean_loss,
            "lr": step.rate,
        }
        if step.gradient_norm is not None:
            row["gradient_norm"] = float(step.gradient_norm)
        row["gradients"] = {stage: float(f"{norm.item():.6g}") for stage, norm in step.stage_norms.items()}
        self._write({**row, "samples": window.samples, "time": {"samples_per_second": round(window.speed, 2)}})
        progress_bar.figures = f"loss {window.mean_loss:.4f}, lr {step.rate:.2e}, {window.speed:,.0f} samples/s"
        self.since_line += window
        self.window_loss.zero_()
        self.progress.window_samples = 0
        self.restart_clock()

    def _write(self, row: dict[str, Any]) -> None:
        self.folder.append_metrics(row)
        self.loggers.log_row(row)


def evaluations(rows: Sequence[dict[str, Any]], state: TrainingState) -> list[dict[str, Any]]:
    """Return a row per evaluation (per epoch without validation) with the mean training loss since the last one."""
    result, losses = [], []
    for row in rows:
        if "loss" in row:
            losses.append((row["loss"], row["samples"]))
        ends = "val" in row
        if "val" not in state.splits:
            ends = "loss" in row and row["step"] % state.training_length.epoch_steps == 0
        if ends:
            mean = sum(loss * n for loss, n in losses) / max(1, sum(n for _, n in losses))
            result.append(
                {"epoch": row["epoch"], "step": row["step"], "train_loss": mean, "metrics": row.get("val", {})}
            )
            losses = []
    return result
