"""Progress on stderr: a bar on a terminal, otherwise a line every 30 seconds for log files."""

import os
import sys
import time
from collections.abc import Callable
from types import TracebackType

from ftaug.runs.report import console
from ftaug.runs.report.terminal_bar import TerminalBar

SECONDS_BETWEEN_LINES = 30.0
SECONDS_BETWEEN_DRAWS = 0.1


class ProgressBar:
    """Show the progress of a loop on stderr."""

    def __init__(self, total_steps: int, done: int, epoch_steps: int | None = None, unit: str = "step") -> None:
        self.total_steps, self.epoch_steps, self.unit = total_steps, epoch_steps, unit
        self.step, self.first_step = done, done
        self.start = self.last_line = time.monotonic()
        self.last_draw, self.figures = 0.0, ""
        can_draw = not console.is_quiet() and sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")
        self.bar = TerminalBar(sys.stderr) if can_draw else None

    def __enter__(self) -> "ProgressBar":
        self._draw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self._draw()
            print(file=sys.stderr, flush=True)

    def advance(self, steps: int = 1) -> None:
        """Advance by some steps."""
        self.step += steps
        if time.monotonic() - self.last_draw >= SECONDS_BETWEEN_DRAWS:
            self._draw()

    @property
    def line_is_due(self) -> bool:
        """Whether the last line was at least 30 seconds ago."""
        return time.monotonic() - self.last_line >= SECONDS_BETWEEN_LINES

    def status(self, figures: str = "") -> None:
        """Show the latest values on the bar, and in the log if a line is due."""
        self.figures = figures
        if self.line_is_due:
            self.log(figures)

    def log(self, figures: str, *, brief: str | None = None) -> None:
        """Log a line with the place in the loop, values and the time left; on a terminal print `brief`, if given."""
        line = f"{self._place()}: {figures}{', ' if figures else ''}about {self._left()} left"
        if self.bar is None:
            self.line(line)
            return
        self.last_line = time.monotonic()
        console.record(line)
        if brief is not None:
            self._print(console.print_on_stderr, brief)

    def line(self, text: str) -> None:
        """Print a line above the bar, and into the log."""
        self.last_line = time.monotonic()
        self._print(console.say, text)

    def _print(self, output: Callable[[str], None], text: str) -> None:
        if self.bar is not None:
            self.bar.erase()
        output(text)
        self._draw()

    def _draw(self) -> None:
        if self.bar is None:
            return
        self.last_draw = time.monotonic()
        counts = f"{self.step:,}/{self.total_steps:,}"
        speed = (self.step - self.first_step) / max(self.last_draw - self.start, 1e-9)
        texts = (counts, self.figures, f"{self._left()} left", f"{speed:,.{0 if speed >= 10 else 1}f} {self.unit}/s")
        self.bar.draw(self.step / max(1, self.total_steps), [text for text in texts if text])

    def _place(self) -> str:
        place = f"{self.unit} {self.step}/{self.total_steps}"
        if self.epoch_steps is None:
            return place
        epoch = f"{self.step / self.epoch_steps:.1f}".removesuffix(".0")
        return f"epoch {epoch}/{self.total_steps // self.epoch_steps}, {place}"

    def _left(self) -> str:
        taken = self.step - self.first_step
        seconds = (time.monotonic() - self.start) / taken * (self.total_steps - self.step) if taken else 0
        return duration(seconds)


def duration(seconds: float) -> str:
    """Format a duration as hours, minutes and seconds: `1:02:03`."""
    return f"{int(seconds // 3600)}:{int(seconds // 60 % 60):02}:{int(seconds % 60):02}"
