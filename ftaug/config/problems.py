"""Problems of a YAML tree that are passed up through pydantic until their full path is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from ftaug.config.wording import dotted
from ftaug.config.yaml_document import Where
from ftaug.errors import Place


@dataclass(frozen=True)
class PartialProblem:
    """A problem whose message still lacks the path of the value."""

    before: str  # "unknown key 'epoch'"
    after: str  # "; did you mean 'epochs'?"
    names: Literal["self", "parent", "nothing"]  # what stands between the two
    at_key: bool = False
    place: Place | None = None  # where it is known better than by the way

    def sentence(self, where: Where) -> str:
        """Return the full message."""
        if self.names == "self":
            return f"{dotted(where) or 'the experiment'} {self.after}"
        if self.names == "parent" and len(where) > 1:
            return f"{self.before} in {dotted(where[:-1])}{self.after}"
        return f"{self.before}{self.after}"


def predicate(words: str) -> PartialProblem:
    """Create a problem that reads `path words`."""
    return PartialProblem("", words, "self")


def fail(*faults: tuple[Where, PartialProblem]) -> ValidationError:
    """Create the pydantic error that carries problems; pydantic prepends the outer path to each."""
    kind = PydanticCustomError("ftaug", "fault")
    return ValidationError.from_exception_data(
        "ftaug", [InitErrorDetails(type=kind, loc=where, input=fault) for where, fault in faults]
    )
