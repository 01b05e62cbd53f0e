"""Logger interface: what a logger is told of a training run, and what it does with figures and plots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

Status = Literal["finished", "stopped", "failed"]


@dataclass(frozen=True)
class LoggedRun:
    """The training run that a logger is opened for."""

    folder: Path  # the run folder
    name: str  # human-readable
    step: int  # the step that the run continues from; 0 at its start
    settings: Mapping[str, Any]  # the experiment, as JSON values


class Logger(Protocol):
    """An open logger. Any exception that a method raises closes this logger alone, and training goes on."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Log figures by their tags, such as `train/loss`, `val/accuracy` and `lr`, after so many steps."""

    def image(self, name: str, path: Path) -> None:
        """Log a plot, a PNG file."""

    def close(self, status: Status) -> None:
        """Write everything; a stopped run may be opened again later."""
