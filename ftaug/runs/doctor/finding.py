"""A line of the report of `ftaug doctor`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Level = Literal["problem", "caution", "note"]
LEVELS: tuple[Level, ...] = ("problem", "caution", "note")
"""A problem breaks training, a caution should be looked at, a note is for information."""

EXAMPLES = 3
"""Number of examples of a finding."""


@dataclass(frozen=True)
class Finding:
    """Something about the data that training or its evaluation may suffer from."""

    check: str  # such as exact_duplicates
    level: Level
    count: int  # number of samples
    text: str
    examples: Sequence[str] = ()  # one line each
    remedy: str = ""

    @property
    def summary(self) -> str:
        """The text with the number of samples and the remedy, for an error."""
        count = f" ({self.count:,} sample{'s' * (self.count != 1)})" if self.count else ""
        return f"{self.text}{count}{'; ' * bool(self.remedy)}{self.remedy}"

    def as_json(self) -> Mapping[str, Any]:
        """Return the finding as JSON values."""
        return {
            "check": self.check,
            "level": self.level,
            "samples": self.count,
            "text": self.text,
            "examples": list(self.examples),
            "remedy": self.remedy or None,
        }
