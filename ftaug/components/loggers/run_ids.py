"""The ids by which trackers know a run, kept in its folder so that a continued run continues the same one there."""

from __future__ import annotations

import json

from ftaug.config.strict_json import dumps
from ftaug.interfaces.logger import LoggedRun

IDS_FILE = "trackers.json"


def run_id(run: LoggedRun, tracker: str) -> str | None:
    """Return the id that a run has in a tracker; None for a new run."""
    return _read(run).get(tracker) if run.step else None


def keep_run_id(run: LoggedRun, tracker: str, name: str) -> None:
    """Store the id that a run has in a tracker."""
    path = run.folder / IDS_FILE
    temporary = path.with_name(f".tmp-{path.name}")
    temporary.write_text(dumps(_read(run) | {tracker: name}, indent=1) + "\n", encoding="utf-8")
    temporary.replace(path)


def _read(run: LoggedRun) -> dict[str, str]:
    path = run.folder / IDS_FILE
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
