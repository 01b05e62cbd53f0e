"""The loggers of a training run, of which none can stop it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ftaug.config.dump import to_plain
from ftaug.config.experiment import Experiment
from ftaug.engine.system.run_files import FOLDS_FILE
from ftaug.errors import Interrupted, Stopped, Unavailable
from ftaug.interfaces.logger import LoggedRun, Logger, Status

log = logging.getLogger("ftaug")

LONGEST = 200
"""Number of characters of an exception in a warning."""


class RunLoggers:
    """The open loggers of a run; one that fails is closed with a warning, and the others and training go on."""

    def __init__(self, experiment: Experiment, folder: Path, step: int) -> None:
        """Open the loggers of a run that continues from a step; raises Unavailable if a package is not installed."""
        self._loggers: dict[str, Logger] = {}
        name = f"{folder.parent.name}/{folder.name}" if (folder.parent / FOLDS_FILE).is_file() else folder.name
        run = LoggedRun(folder, name, step, to_plain(experiment))
        for component in experiment.loggers:
            try:
                self._loggers[component.name] = component(run)
            except Unavailable:
                raise
            except Exception as error:
                _warn(component.name, error)

    @property
    def is_empty(self) -> bool:
        """Whether no logger is open."""
        return not self._loggers

    def log_row(self, row: Mapping[str, Any]) -> None:
        """Log a row of metrics.jsonl."""
        values = tagged(row)
        self._each(lambda logger: logger.log(row["step"], values))

    def image(self, name: str, path: Path) -> None:
        """Log a plot, a PNG file."""
        self._each(lambda logger: logger.image(name, path))

    def close(self, status: Status) -> None:
        """Close all loggers."""
        self._each(lambda logger: logger.close(status))
        self._loggers.clear()

    def _each(self, action: Callable[[Logger], None]) -> None:
        for name, logger in list(self._loggers.items()):
            try:
                action(logger)
            except Exception as error:
                del self._loggers[name]
                _warn(name, error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        is_stopped = isinstance(error, Stopped | Interrupted | KeyboardInterrupt)
        self.close("finished" if error is None else "stopped" if is_stopped else "failed")


def tagged(row: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures of a row of metrics.jsonl by their tags, such as `train/loss`, `val/accuracy` and `lr`."""
    values = {"epoch": row["epoch"]}
    if "val" in row:
        return values | {f"val/{name}": value for name, value in row["val"].items()}
    values |= {f"train/{name}": row[name] for name in ("loss", "gradient_norm") if name in row}
    return values | {"lr": row["lr"], "samples_per_second": row["time"]["samples_per_second"]}


def _warn(name: str, error: Exception) -> None:
    """Say once, on stderr and in train.log, that a logger failed."""
    reason = f"{type(error).__name__}: {error}".partition("\n")[0][:LONGEST]
    log.warning("logger %s failed and is left out; training goes on (%s)", name, reason)
