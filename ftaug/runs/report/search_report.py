from __future__ import annotations
from pathlib import Path
from ftaug.runs.search.search import Outcome


def write(outcome: Outcome) -> Path:
    return outcome.folder / "report.html"
