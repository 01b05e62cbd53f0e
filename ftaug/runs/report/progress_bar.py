"""Progress bar on stderr: tqdm on a terminal, otherwise a plain line every 30 seconds for log files."""

import sys
import time
from types import TracebackType

from tqdm import tqdm

from ftaug.errors import printable

SECONDS_BETWEEN_LINES = 30.0


class ProgressBar:
    """Show the progress of a loop on stderr."""

    def __init__(self, total_steps: int, done: int, epoch_steps: int | None = None, unit: str = "step") -> None:
        self.total_steps, self.epoch_steps, self.unit = total_steps, epoch_steps, unit
        self.step, self.first_step = done, done
        self.start = self.last_line = time.monotonic()
        self.bar = tqdm(total=total_steps, initial=done, unit=unit, dynamic_ncols=True) if sys.stderr.isatty() else None

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.close()

    def advance(self) -> None:
        """Advance by one step."""
        self.step += 1
        if self.bar is not None:
            self.bar.update()

    def status(self, figures: str = "") -> None:
        """Show the latest values: on the bar, or as a line if the last one was at least 30 seconds ago."""
        if self.bar is not None:
            self.bar.set_postfix_str(figures, refresh=False)
        elif time.monotonic() - self.last_line >= SECONDS_BETWEEN_LINES:
            self.line(f"{self._place()}: {figures}{', ' if figures else ''}{self._left()}")

    def line(self, text: str) -> None:
        """Print a line above the bar."""
        self.last_line = time.monotonic()
        text = printable(text)
        if self.bar is not None:
            self.bar.write(text, file=sys.stderr)
        else:
            print(text, file=sys.stderr, flush=True)

    def _place(self) -> str:
        place = f"{self.unit} {self.step}/{self.total_steps}"
        return f"epoch {self.step / self.epoch_steps:.1f}, {place}" if self.epoch_steps else place

    def _left(self) -> str:
        taken = self.step - self.first_step
        seconds = (time.monotonic() - self.start) / taken * (self.total_steps - self.step) if taken else 0
        return f"about {int(seconds // 3600)}:{int(seconds // 60 % 60):02}:{int(seconds % 60):02} left"
