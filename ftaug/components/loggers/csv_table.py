"""Figures as a CSV table."""

from __future__ import annotations

import csv as csv_format
from collections.abc import Mapping
from pathlib import Path

from ftaug.config.kinds import logger
from ftaug.interfaces.logger import LoggedRun, Logger, Status

TABLE = "metrics.csv"


class _Table:
    """A table with a row for each step; the columns grow as tags appear."""

    def __init__(self, path: Path, last_step: int) -> None:
        self._path, self._columns, self._rows = path, ["step"], list[dict[str, str]]()
        if last_step and path.is_file():
            with path.open(newline="", encoding="utf-8") as file:
                self._rows = [row for row in csv_format.DictReader(file) if int(row["step"]) <= last_step]
        self._columns = list(self._rows[0]) if self._rows else ["step"]
        self._rewrite()

    def log(self, step: int, values: Mapping[str, float]) -> None:
        new = [tag for tag in values if tag not in self._columns]
        row = {"step": str(step), **{tag: repr(float(value)) for tag, value in values.items()}}
        if self._rows and self._rows[-1]["step"] == str(step):
            self._rows[-1] |= row
        else:
            self._rows.append(row)
        self._columns += new
        if new or self._rows[-1] is not row:
            self._rewrite()
        else:
            with self._path.open("a", newline="", encoding="utf-8") as file:
                csv_format.DictWriter(file, self._columns, lineterminator="\n").writerow(row)

    def _rewrite(self) -> None:
        temporary = self._path.with_name(f".tmp-{self._path.name}")
        with temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv_format.DictWriter(file, self._columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self._rows)
        temporary.replace(self._path)

    def image(self, name: str, path: Path) -> None:
        pass

    def close(self, status: Status) -> None:
        pass


@logger.register
def csv(run: LoggedRun) -> Logger:
    """Write all figures into `metrics.csv` in the run folder: a row for each step, a column for each tag."""
    return _Table(run.folder / TABLE, run.step)
