"""The outcome of verifying a file of a run folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FileState = Literal["good", "damaged", "missing", "repairable", "leftover", "unchecked"]
"""`repairable`: the command that continues the run restores it; `unchecked`: no hash or format to verify it by."""


@dataclass(frozen=True)
class FileCheck:
    """A file or checkpoint of a run folder, and whether it is as it was written."""

    path: str  # relative to the run folder
    state: FileState = "good"
    detail: str = ""  # what is wrong, and what to do about it

    @property
    def is_damage(self) -> bool:
        """Whether content is lost that no command restores by itself."""
        return self.state in ("damaged", "missing")
