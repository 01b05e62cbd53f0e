"""Logging to train.log and stderr while a run folder is open."""

import logging
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path

from ftaug.engine.system.storage import open_inside
from ftaug.errors import printable

log = logging.getLogger("ftaug")


class RunLog(logging.FileHandler):
    """File handler of train.log, appended to by every start; write errors, such as a full disk, do not end the run."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", delay=True)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        self._failed = False

    def _open(self) -> TextIOWrapper:
        descriptor = open_inside(Path(self.baseFilename), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:
        """Report once, on stderr, that log lines are lost."""
        if not self._failed:
            self._failed = True
            print(f"{self.baseFilename}: cannot be written, its lines are lost", file=sys.stderr)


class StderrLog(logging.Handler):
    """Handler for stderr that escapes control characters, such as those in file names."""

    def emit(self, record: logging.LogRecord) -> None:
        print(printable(record.getMessage()), file=sys.stderr)


def start_logging(path: Path) -> list[logging.Handler]:
    """Log to train.log, and warnings to stderr too; return the handlers."""
    handlers: list[logging.Handler] = [RunLog(path), StderrLog(logging.WARNING)]
    for handler in handlers:
        log.addHandler(handler)
    log.setLevel(logging.INFO)
    return handlers


def stop_logging(handlers: Sequence[logging.Handler]) -> None:
    """Remove and close the handlers of `start_logging`."""
    for handler in handlers:
        log.removeHandler(handler)
        with suppress(OSError):  # a full disk was mentioned when it was met
            handler.close()
