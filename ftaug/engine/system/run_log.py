"""train.log: what ftaug logs while a run folder is open."""

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
    """train.log, to which every start appends; a full disk must not end the run here."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", delay=True)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        self._failed = False

    def _open(self) -> TextIOWrapper:
        descriptor = open_inside(Path(self.baseFilename), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:
        """Say once, on stderr alone, that lines are lost."""
        if not self._failed:
            self._failed = True
            print(f"{self.baseFilename}: cannot be written, its lines are lost", file=sys.stderr)


class StderrLog(logging.Handler):
    """Warnings on stderr, with control characters of file names escaped."""

    def emit(self, record: logging.LogRecord) -> None:
        print(printable(record.getMessage()), file=sys.stderr)


def start_logging(path: Path) -> list[logging.Handler]:
    """Send what ftaug logs to train.log, and its warnings to stderr too."""
    handlers: list[logging.Handler] = [RunLog(path), StderrLog(logging.WARNING)]
    for handler in handlers:
        log.addHandler(handler)
    log.setLevel(logging.INFO)
    return handlers


def stop_logging(handlers: Sequence[logging.Handler]) -> None:
    """Undo `start_logging`."""
    for handler in handlers:
        log.removeHandler(handler)
        with suppress(OSError):  # a full disk was mentioned when it was met
            handler.close()
